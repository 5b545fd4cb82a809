import type { IncomingHttpHeaders } from 'node:http';

/** Fields that speak of one hop only (RFC 9110, 7.6.1) and must not be passed on. */
const ONE_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields that go on, without HTTP/2's pseudo fields and those that `Connection` names. */
export function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || ONE_HOP.has(name) || named.has(name)) continue;
    out[name] = value;
  }
  return out;
}
