import type { JsonPatch, JsonPatchOperation } from '../api/kubernetes.js';

type Container = Record<string, unknown> | unknown[];

/**
 * Applies a JSON Patch (RFC 6902: add, replace, remove, test) and returns the new document; the given one stays as it was,
 * and parts that the patch does not touch are shared between both.
 *
 * @throws {TypeError} when a path does not exist, or a test fails.
 */
export function applyJsonPatch<T>(document: T, patch: JsonPatch): T {
  const root: { document: unknown } = { document };
  const owned = new Set<unknown>([root]);
  for (const operation of patch) applyOne(root, operation, owned);
  return root.document as T;
}

function applyOne(root: { document: unknown }, operation: JsonPatchOperation, owned: Set<unknown>): void {
  const path = ['document', ...tokensOf(operation.path)];
  const last = path.pop() as string;
  let parent: Container = root;
  for (const token of path) parent = ownedChild(parent, token, owned, operation.path);
  if (Array.isArray(parent)) changeArray(parent, last, operation);
  else changeObject(parent, last, operation);
}

/** The child to descend into, copied once so that the caller's document is never written to. */
function ownedChild(parent: Container, token: string, owned: Set<unknown>, path: string): Container {
  const child = (parent as Record<string, unknown>)[token];
  if (typeof child !== 'object' || child === null) throw new TypeError(`no such path in the document: ${path}`);
  if (owned.has(child)) return child as Container;
  const copy = (Array.isArray(child) ? [...child] : { ...child }) as Container;
  owned.add(copy);
  (parent as Record<string, unknown>)[token] = copy;
  return copy;
}

function changeArray(array: unknown[], token: string, operation: JsonPatchOperation): void {
  const index = token === '-' ? array.length : Number(token);
  const end = operation.op === 'add' ? array.length : array.length - 1;
  if (!Number.isInteger(index) || index < 0 || index > end) {
    throw new TypeError(`no such path in the document: ${operation.path}`);
  }
  if (operation.op === 'add') array.splice(index, 0, operation.value);
  else if (operation.op === 'remove') array.splice(index, 1);
  else if (operation.op === 'replace') array[index] = operation.value;
  else assertEqual(array[index], operation.path, operation.value);
}

function changeObject(object: Record<string, unknown>, key: string, operation: JsonPatchOperation): void {
  if (operation.op !== 'add' && !Object.hasOwn(object, key)) {
    throw new TypeError(`no such path in the document: ${operation.path}`);
  }
  if (operation.op === 'remove') delete object[key];
  else if (operation.op === 'test') assertEqual(object[key], operation.path, operation.value);
  else object[key] = operation.value;
}

function assertEqual(found: unknown, path: string, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new TypeError(`test failed at ${path}`);
}

/** One reference token of a JSON Pointer (RFC 6901), escaped. */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The reference tokens of a JSON Pointer (RFC 6901). */
export function tokensOf(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
