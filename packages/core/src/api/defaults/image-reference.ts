/** What the image of a container says, by the reference grammar that container runtimes share. */
export interface ImageReference {
  /** Absent if there is none; `latest` is not made up. */
  tag?: string;
  digest?: string;
}

const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const REFERENCE = new RegExp(
  `^((?:${DOMAIN}/)?${PATH_COMPONENT}(?:/${PATH_COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
const DIGEST_LENGTH: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };
const MAX_NAME = 255;
const MAX_IMAGE = 1024;

/** Reads an image; `undefined` if it is no valid reference. */
export function parseImageReference(image: string): ImageReference | undefined {
  if (image.length > MAX_IMAGE || /^[a-f0-9]{64}$/.test(image)) return undefined;
  const match = REFERENCE.exec(withDomain(image));
  const [, name, tag, digest] = match ?? [];
  if (name === undefined || name.length > MAX_NAME) return undefined;
  if (digest !== undefined && !isKnownDigest(digest)) return undefined;
  return { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** A first part that does not look like a host belongs to the path on Docker Hub, and so must be lower case. */
function withDomain(image: string): string {
  const slash = image.indexOf('/');
  const first = image.slice(0, slash);
  const isDomain = slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  return isDomain ? image : `docker.io/${slash === -1 ? `library/${image}` : image}`;
}

function isKnownDigest(digest: string): boolean {
  const [algorithm = '', hex = ''] = digest.split(':');
  return DIGEST_LENGTH[algorithm] === hex.length && /^[a-f0-9]+$/.test(hex);
}

/** The pull policy that Kubernetes gives a container that names none: Always for `latest`, said or implied. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const reference = parseImageReference(image);
  if (reference === undefined) return 'IfNotPresent';
  const tag = reference.tag ?? (reference.digest === undefined ? 'latest' : '');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
