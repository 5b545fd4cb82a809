import type { FaultSubject } from '../kube-sim/faults.js';

const WRITES: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What a request is about, read off its URL alone: the proxy does not know which kinds there are. */
export function subjectOf(method: string, url: URL, userAgent: string): FaultSubject | undefined {
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (parts[0] !== 'api' && parts[0] !== 'apis') return undefined;
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  if (rest.length === 0) return undefined;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status';
  const [resource = '', name, subresource] = inNamespace ? rest.slice(2) : rest;
  const watching = ['true', '1'].includes(url.searchParams.get('watch') ?? '');
  const verb = WRITES[method] ?? (watching ? 'watch' : name ? 'get' : 'list');
  return { verb, resource, subresource, namespace: inNamespace ? rest[1] : undefined, name, userAgent };
}
