import { ApiError, badRequest } from '../api-error.js';
import { sameJson } from '../json.js';

interface Operation {
  op?: string;
  path?: string;
  from?: string;
  value?: unknown;
}

type Holder = Record<string, unknown> | unknown[];

/** RFC 6902, in place, with the answers of the API server: a bad document is 400, an operation that does not apply is 422. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  const root = { '': document } as Record<string, unknown>;
  for (const operation of patch as Operation[]) apply(root, operation);
  return root[''];
}

type Apply = (root: Record<string, unknown>, path: string[], operation: Operation) => void;

const OPERATIONS: Record<string, Apply> = {
  add: (root, path, { value }) => put(root, path, value, true),
  replace(root, path, { value }) {
    read(root, path, 'replace');
    put(root, path, value, false);
  },
  remove,
  test,
  copy: (root, path, { from }) => put(root, path, structuredClone(read(root, steps(from), 'copy')), true),
  move(root, path, { from }) {
    const value = read(root, steps(from), 'move');
    remove(root, steps(from));
    put(root, path, value, true);
  },
};

function apply(root: Record<string, unknown>, operation: Operation): void {
  const known = Object.hasOwn(OPERATIONS, operation.op ?? '') ? OPERATIONS[operation.op as string] : undefined;
  if (!known) throw doesNotApply(`Unexpected kind: ${operation.op}`);
  known(root, steps(operation.path), operation);
}

function steps(pointer: string | undefined): string[] {
  if (pointer === undefined) throw doesNotApply('missing path');
  const parts = pointer.split('/').slice(1);
  return ['', ...parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function holderOf(root: Record<string, unknown>, path: string[], op: string): Holder {
  let value: unknown = root;
  for (const step of path.slice(0, -1)) value = child(value, step);
  if (typeof value !== 'object' || value === null) throw missing(op, path);
  return value as Holder;
}

const child = (value: unknown, step: string): unknown => {
  if (Array.isArray(value)) return value[Number(step)];
  const isObject = typeof value === 'object' && value !== null;
  return isObject && Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
};

function read(root: Record<string, unknown>, path: string[], op: string): unknown {
  const holder = holderOf(root, path, op);
  const last = path.at(-1) as string;
  const exists = Array.isArray(holder)
    ? indexIn(holder, last, holder.length - 1, op) >= 0
    : Object.hasOwn(holder, last);
  if (!exists) throw missing(op, path);
  return child(holder, last);
}

function put(root: Record<string, unknown>, path: string[], value: unknown, insert: boolean): void {
  const holder = holderOf(root, path, insert ? 'add' : 'replace');
  const last = path.at(-1) as string;
  if (!Array.isArray(holder)) {
    Object.defineProperty(holder, last, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
  if (insert && last === '-') holder.push(value);
  else if (insert) holder.splice(indexIn(holder, last, holder.length, 'add'), 0, value);
  else holder[indexIn(holder, last, holder.length - 1, 'replace')] = value;
}

function remove(root: Record<string, unknown>, path: string[]): void {
  read(root, path, 'remove');
  const holder = holderOf(root, path, 'remove');
  const last = path.at(-1) as string;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
}

function test(root: Record<string, unknown>, path: string[], operation: Operation): void {
  const holder = holderOf(root, path, 'test');
  if (sameJson(child(holder, path.at(-1) as string) ?? null, operation.value ?? null)) return;
  throw doesNotApply(`testing value ${operation.path} failed`);
}

function indexIn(_holder: unknown[], step: string, highest: number, op: string): number {
  const index = /^(0|[1-9]\d*)$/.test(step) ? Number(step) : Number.NaN;
  if (index <= highest) return index;
  throw doesNotApply(`${op} operation does not apply: doc is missing index ${step}`);
}

const missing = (op: string, path: string[]): ApiError =>
  doesNotApply(`${op} operation does not apply: doc is missing path: "${path.join('/')}": missing value`);

/** The real server hides why a patch did not apply behind one sentence; the cause is kept for people reading tests. */
const doesNotApply = (why: string): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {
    causes: [{ reason: 'FieldValueInvalid', message: why, field: 'patch' }],
  });
