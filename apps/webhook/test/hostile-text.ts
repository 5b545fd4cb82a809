import type { Mutations } from './mutations.js';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** What JSON allows and hardly anybody expects. */
const VALUES = [
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '9007199254740993', '1e400', '-0', '1.0'],
  ...['1E5', '0.12345678901234567890', `1${'0'.repeat(400)}`, '1e-400', '"\\ud800"', '"\\udc00\\ud83d"', '"\\u0000"'],
  ...['"9223372036854775807"', 'null', '{}', '[]', '{"__proto__":null}', '{"a":1,"a":2}', '"__proto__"', '""'],
  `${'['.repeat(1_100)}9223372036854775807${']'.repeat(1_100)}`,
];

const MEMBERS = [
  ...[
    '"__proto__":{"polluted":1}',
    '"constructor":{"prototype":{"polluted":1}}',
    '"toString":1',
    '"hasOwnProperty":null',
  ],
  ...[
    '"\\ud800":1',
    '"":9007199254740993',
    '"name":1e400',
    '"spec":null',
    '"metadata":[]',
    '"kind":"Pod"',
    '"length":1',
  ],
];

/** The JSON text, still JSON, with one to four hostile values, members, or members that are there twice. */
export function hostileText(mutations: Mutations, text: string): string {
  let hostile = text;
  for (let count = 1 + mutations.below(4); count > 0; count--) hostile = spoilOnce(mutations, hostile);
  return hostile;
}

function spoilOnce(mutations: Mutations, text: string): string {
  const tokens = [...text.matchAll(TOKEN)];
  const index = mutations.below(tokens.length);
  const token = tokens[index];
  if (token === undefined) return text;
  const [at, end] = [token.index, token.index + token[0].length];
  const next = tokens[index + 1]?.[0];
  if (token[0] === '{')
    return `${text.slice(0, end)}${mutations.pick(MEMBERS)}${next === '}' ? '' : ','}${text.slice(end)}`;
  if (token[0] === '}') {
    const isEmpty = tokens[index - 1]?.[0] === '{';
    return `${text.slice(0, at)}${isEmpty ? '' : ','}${mutations.pick(MEMBERS)}${text.slice(at)}`;
  }
  if ('[],:'.includes(token[0])) return text;
  const value = mutations.pick(VALUES);
  // A key: the member is there twice, and the last one counts.
  if (next === ':') return `${text.slice(0, at)}${token[0]}:${value},${text.slice(at)}`;
  return `${text.slice(0, at)}${value}${text.slice(end)}`;
}
