/** One JSON Patch operation, RFC 6902. */
export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string };

/** A JSON Pointer (RFC 6901) from plain segments; `-` as the last one means behind the end of a list. */
export function pointer(...segments: (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * The guards that make a JSON Patch optimistic: it applies only to the very object that was looked at, and the API server
 * answers otherwise with 409 (resourceVersion) or 422 (the object of that name is another one by now).
 */
export function optimisticGuards(metadata: { uid?: string; resourceVersion?: string }): PatchOperation[] {
  const guards: PatchOperation[] = [];
  if (metadata.uid !== undefined) guards.push({ op: 'test', path: '/metadata/uid', value: metadata.uid });
  if (metadata.resourceVersion !== undefined) {
    guards.push({ op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion });
  }
  return guards;
}
