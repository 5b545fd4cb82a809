import { addon, closeAll } from '../native/addon.js';
import { faultOf, type OwnedListener } from '../native/listener.js';
import { MAX_BODY_BYTES, MAX_FDS_PER_FRAME } from '../protocol/limits.js';
import type { ListenerRecord } from '../protocol/messages.js';

/** One OFFER frame's worth of listeners: bounded by descriptors and by bytes. */
export function offerFrames(listeners: Iterable<OwnedListener>): OwnedListener[][] {
  const frames: OwnedListener[][] = [[]];
  // Room for the envelope around the records.
  let room = MAX_BODY_BYTES - 200;
  for (const listener of listeners) {
    const size = Buffer.byteLength(JSON.stringify(listener.record)) + 1;
    const current = frames[frames.length - 1]!;
    if (size > room || current.length === MAX_FDS_PER_FRAME) {
      frames.push([listener]);
      room = MAX_BODY_BYTES - 200 - size;
    } else {
      current.push(listener);
      room -= size;
    }
  }
  return frames;
}

/** What came out of checking one OFFER frame. */
export interface CheckedOffer {
  adopted: OwnedListener[];
  unwanted: string[];
  faults: string[];
}

/**
 * Checks every descriptor of an OFFER against its record and keeps those that are wanted; the others are closed here.
 *
 * @param accepts whether the listener is one that this version's configuration asks for
 */
export function checkOffer(
  records: ListenerRecord[],
  fds: number[],
  accepts: (listener: OwnedListener) => boolean,
): CheckedOffer {
  const out: CheckedOffer = { adopted: [], unwanted: [], faults: [] };
  if (records.length !== fds.length) {
    closeAll(fds);
    out.faults.push(`${records.length} listeners were announced with ${fds.length} descriptors`);
    return out;
  }
  records.forEach((record, index) => {
    const fd = fds[index]!;
    const fault = faultOf(fd, record);
    if (fault === undefined && accepts({ fd, record })) {
      out.adopted.push({ fd, record });
      return;
    }
    addon().close(fd);
    if (fault === undefined) out.unwanted.push(record.name);
    else out.faults.push(fault);
  });
  return out;
}
