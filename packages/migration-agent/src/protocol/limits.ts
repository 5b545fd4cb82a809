/** Every bound of the wire protocol; a peer that breaks one is cut off, never obeyed. */

/** 'HTO1' as a big-endian number. */
export const MAGIC = 0x48544f31;
export const HEADER_BYTES = 20;
/** Body of a control frame; STATE frames may be larger. */
export const MAX_BODY_BYTES = 16 * 1024;
export const MAX_STATE_BODY_BYTES = 64 * 1024;
/** The kernel's own limit for one SCM_RIGHTS message. */
export const MAX_FDS_PER_FRAME = 253;
export const MAX_LISTENERS = 1024;
export const MAX_OUTSTANDING_FRAMES = 16;
/** App state travels in a memfd of at most this size. */
export const MAX_STATE_BYTES = 64 * 1024 * 1024;
/** Protocol versions this implementation speaks. */
export const PROTOCOL_VERSIONS = { min: 1, max: 1 } as const;
