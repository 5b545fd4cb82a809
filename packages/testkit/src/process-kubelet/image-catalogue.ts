import { createHash } from 'node:crypto';

/** What a container of an image starts. */
export interface CatalogueImage {
  /** Entry point; a container's own `command` replaces it together with `args`. */
  command: string[];
  /** What `args` of a container replaces. */
  args?: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Image id; by default the hash of the entry, so that two names of equal entries are two tags of one image. */
  id?: string;
  /** How long the first pull takes, in milliseconds. Default 0. */
  pullMs?: number;
}

/** Image reference to what it starts. A reference that is not in here cannot be pulled. */
export type ImageCatalogue = Record<string, CatalogueImage>;

/** An image found in the catalogue. */
export interface FoundImage {
  entry: CatalogueImage;
  /** Tells images apart; two names may have the same. */
  id: string;
  /** As in `status.containerStatuses[].imageID`. */
  imageID: string;
  /** As in `status.containerStatuses[].image`: the first name of the image, whichever name the pod used. */
  statusImage: string;
}

const DIGEST = /^(?<path>.*?)(?::[^:/@]+)?@(?<digest>sha256:[0-9a-f]{64})$/;

/** With a digest the tag does not matter: `name:any@sha256:D` is `name@sha256:D`. */
function canonicalReference(image: string): string {
  const parts = DIGEST.exec(image)?.groups;
  return parts ? `${parts.path}@${parts.digest}` : image;
}

function idOf(entry: CatalogueImage): string {
  const { pullMs: _, ...content } = entry;
  return entry.id ?? `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;
}

/** The image of that reference, or `undefined` when no registry has it. */
export function findImage(catalogue: ImageCatalogue, image: string): FoundImage | undefined {
  const wanted = canonicalReference(image);
  const name = Object.hasOwn(catalogue, image)
    ? image
    : Object.keys(catalogue).find((candidate) => canonicalReference(candidate) === wanted);
  const entry = name === undefined ? undefined : catalogue[name];
  if (!entry) return undefined;
  const id = idOf(entry);
  const firstName = Object.keys(catalogue).find((candidate) => idOf(catalogue[candidate]!) === id) ?? image;
  const digested = wanted.includes('@');
  return { entry, id, imageID: digested ? wanted : id, statusImage: digested ? image : firstName };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isTextMap = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);

/** Reads a catalogue from JSON text; throws `TypeError` that names the entry which is wrong. */
export function parseCatalogue(text: string): ImageCatalogue {
  const given: unknown = JSON.parse(text);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError('an image catalogue is an object: image name to {"command": [...]}');
  }
  for (const [name, entry] of Object.entries(given as Record<string, Partial<CatalogueImage> | null>)) {
    const fine =
      isTextList(entry?.command) &&
      entry.command.length > 0 &&
      (entry.args === undefined || isTextList(entry.args)) &&
      (entry.env === undefined || isTextMap(entry.env)) &&
      (entry.pullMs === undefined || (typeof entry.pullMs === 'number' && entry.pullMs >= 0));
    if (!fine) throw new TypeError(`image ${name}: wanted {"command": ["program", ...], "args"?, "env"?, "pullMs"?}`);
  }
  return given as ImageCatalogue;
}
