/**
 * Image references, as far as upgrades care.
 *
 * The kubelet keys its restart back-off by the image string, and a container runtime ignores the tag of a reference that has a
 * digest. So one and the same image can be given a fresh name: `repo:g7@sha256:...`. Everywhere but in the pod's spec such a
 * name means the plain reference.
 */

const DIGEST = /@sha256:[0-9a-f]{64}$/;
const GENERATION_TAG = /^(?:(.*)-)?g[1-9][0-9]*$/;

interface ImageReference {
  repository: string;
  tag: string | undefined;
  /** With the leading `@`; empty when there is none. */
  digest: string;
}

function parse(image: string): ImageReference {
  const digest = DIGEST.exec(image)?.[0] ?? '';
  const name = image.slice(0, image.length - digest.length);
  // A colon before the last slash belongs to a registry's port.
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon < 0) return { repository: name, tag: undefined, digest };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

const format = ({ repository, tag, digest }: ImageReference): string =>
  `${repository}${tag === undefined || tag === '' ? '' : `:${tag}`}${digest}`;

interface Reading {
  /** `sha256:...` of a reference by digest. */
  digest: string | undefined;
  /** The reference without a generation tag. */
  plain: string;
}

/** Few images run in very many containers, each of which is looked at again whenever its SidecarSet changes. */
const readings = new Map<string, Reading>();
const MOST_READINGS = 2_000;

function read(image: string): Reading {
  const known = readings.get(image);
  if (known !== undefined) return known;
  if (readings.size >= MOST_READINGS) readings.clear();
  const reading = { digest: DIGEST.exec(image)?.[0].slice(1), plain: readPlain(image) };
  readings.set(image, reading);
  return reading;
}

/** True for a reference that ends in a sha256 digest. */
export const isDigestImage = (image: string): boolean => read(image).digest !== undefined;

/** `sha256:...` of a reference by digest. */
export const digestOf = (image: string): string | undefined => read(image).digest;

/** The reference by digest under a name of its own: `repo:g7@sha256:...`, or `repo:tag-g7@sha256:...` where it had a tag. */
export function withGeneration(image: string, generation: number): string {
  const plain = parse(withoutGeneration(image));
  return format({ ...plain, tag: plain.tag === undefined ? `g${generation}` : `${plain.tag}-g${generation}` });
}

/** The reference without a generation tag; other references come back as they are. */
export const withoutGeneration = (image: string): string => read(image).plain;

function readPlain(image: string): string {
  if (!DIGEST.test(image)) return image;
  const reference = parse(image);
  const generation = GENERATION_TAG.exec(reference.tag ?? '');
  return generation === null ? image : format({ ...reference, tag: generation[1] });
}

/** Whether two references mean the same image as far as Sidestep's own renaming goes. */
export const isSameImage = (a: string, b: string): boolean => a === b || withoutGeneration(a) === withoutGeneration(b);
