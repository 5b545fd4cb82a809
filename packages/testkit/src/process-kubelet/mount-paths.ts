/** Where one path of a container is on this machine. */
export interface PathMapping {
  /** Inside the container: the mountPath. */
  inside: string;
  /** On this machine. */
  outside: string;
}

const PATH_CHARACTER = /[A-Za-z0-9._~+%@-]/;

function startsPath(text: string, at: number): boolean {
  const before = text[at - 1];
  return before === undefined || !(PATH_CHARACTER.test(before) || before === '/');
}

function endsPart(text: string, at: number): boolean {
  const after = text[at];
  return after === undefined || !PATH_CHARACTER.test(after);
}

/**
 * Rewrites every path at or below a mapping's `inside`, wherever it begins in the text (`--dir=/x`, `unix:/x/s.sock`, `/x:/y`).
 * The longest mapping wins; `/x` does not touch `/xy`, `a/x` or `http://h/x` past its host.
 */
export function translatePaths(text: string, mappings: readonly PathMapping[]): string {
  const longestFirst = mappings
    .map(({ inside, outside }) => ({ inside: inside.replace(/\/+$/, ''), outside }))
    .filter(({ inside }) => inside !== '')
    .sort((a, b) => b.inside.length - a.inside.length);
  let out = '';
  let at = 0;
  while (at < text.length) {
    const slash = text.indexOf('/', at);
    if (slash < 0) break;
    const hit = longestFirst.find(
      ({ inside }) =>
        text.startsWith(inside, slash) && startsPath(text, slash) && endsPart(text, slash + inside.length),
    );
    out += text.slice(at, slash) + (hit ? hit.outside : '/');
    at = slash + (hit ? hit.inside.length : 1);
  }
  return out + text.slice(at);
}
