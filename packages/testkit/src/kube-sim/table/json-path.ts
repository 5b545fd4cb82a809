import { isPlain } from '../patch/merge-patch.js';

/** The JSONPath of printer columns: fields, indexes, `[*]` and `[?(@.type=="Ready")]`; `\.` is a dot inside a name. */
export function readJsonPath(root: unknown, path: string): unknown {
  let values: unknown[] = [root];
  for (const step of stepsOf(path)) values = values.flatMap((value) => follow(value, step));
  return values[0];
}

function stepsOf(path: string): string[] {
  const found = path.replace(/^\{|\}$/g, '').match(/\[[^\]]*\]|(?:\\.|[^.[\]\\])+/g) ?? [];
  return found.map((step) => step.replaceAll('\\.', '.'));
}

function follow(value: unknown, step: string): unknown[] {
  if (!step.startsWith('[')) return isPlain(value) && value[step] !== undefined ? [value[step]] : [];
  const inside = step.slice(1, -1);
  const quoted = /^['"](.*)['"]$/.exec(inside)?.[1];
  if (quoted !== undefined) return follow(value, quoted);
  if (!Array.isArray(value)) return [];
  if (inside === '*') return value;
  const filter = /^\?\(@\.([\w.]+)\s*==\s*['"](.*)['"]\)$/.exec(inside);
  if (filter) return value.filter((item) => readJsonPath(item, filter[1] as string) === filter[2]);
  const item = value.at(Number(inside));
  return item === undefined ? [] : [item];
}
