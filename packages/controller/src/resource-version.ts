/**
 * Whether `a` is an older state than `b` of one object. Kubernetes defines resourceVersions of one resource as integers of
 * growing size (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions); anything else is taken as new,
 * so that an unknown server is believed rather than ignored.
 */
export function isOlderVersion(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
