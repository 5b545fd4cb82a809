import { compareBytes } from '../api/schema/go-json.js';
import { compactGoJson, type GoJson, GoJsonError, goEscaped, parseGoJson } from './go-json.js';

/** The texts cannot be merged; the message is the one that OpenKruise 1.9 refuses the pod with. */
export class MergeJsonError extends Error {
  override name = 'MergeJsonError';
}

/** A value that the merge went into: its members are printed sorted. Anything else is printed as it was written. */
type Merged = GoJson | Map<string, Merged> | Merged[];

/**
 * Merges two JSON texts by RFC 7386, with the output of the Go library that OpenKruise uses: what the merge goes into is
 * printed with sorted keys, what it leaves alone keeps its order, digits and escapes.
 *
 * @throws {MergeJsonError}
 */
export function mergeJson(original: string, patch: string): string {
  const target = read(original, 'Invalid JSON Document');
  const change = read(patch, 'Invalid JSON Patch');
  if (target.kind === 'null') throw new MergeJsonError('Invalid JSON Document');
  if (change.kind !== 'object' && change.kind !== 'array') throw new MergeJsonError('Invalid JSON Patch');
  return print(change.kind === 'array' ? pruned(change) : merge(target, change));
}

function read(text: string, message: string): GoJson {
  try {
    return parseGoJson(text);
  } catch (error) {
    if (error instanceof GoJsonError) throw new MergeJsonError(message);
    throw error;
  }
}

function merge(target: GoJson | undefined, change: GoJson): Merged {
  if (change.kind !== 'object' || target?.kind !== 'object') return target?.kind === 'object' ? change : pruned(change);
  const members = new Map<string, Merged>(target.members);
  for (const [key, value] of change.members) {
    const before = target.members.get(key);
    if (value.kind === 'null') members.delete(key);
    else members.set(key, before === undefined || before.kind === 'null' ? pruned(value) : merge(before, value));
  }
  return members;
}

/** A value that is put in whole loses the members that are null, since null means "remove". */
function pruned(value: GoJson): Merged {
  if (value.kind === 'array') return value.items.map(pruned);
  if (value.kind !== 'object') return value;
  const kept = [...value.members].filter(([, member]) => member.kind !== 'null');
  return new Map(kept.map(([key, member]) => [key, pruned(member)]));
}

function print(value: Merged): string {
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  if (!(value instanceof Map)) return compactGoJson(value);
  const members = [...value].sort(([a], [b]) => compareBytes(a, b));
  return `{${members.map(([key, member]) => `${goEscaped(JSON.stringify(key))}:${print(member)}`).join(',')}}`;
}
