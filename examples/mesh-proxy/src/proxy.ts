import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { endToEnd } from './headers.js';
import type { Upstream } from './upstream.js';

/** Counts what the proxy did; the successor goes on from these numbers. */
export interface ProxyCounters {
  requests: number;
  upstreamErrors: number;
}

/** The request handler of both HTTP versions: passes everything to the application and answers with its version in a header. */
export function proxyHandler(upstream: Upstream, version: string, counters: ProxyCounters) {
  return (incoming: IncomingMessage | Http2ServerRequest, outgoing: ServerResponse | Http2ServerResponse): void => {
    counters.requests += 1;
    const answer = outgoing as ServerResponse;
    answer.setHeader('x-mesh-version', version);
    const forwarded = {
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: forwardedHeaders(incoming),
      body: incoming,
    };
    upstream.send(
      forwarded,
      (response) => {
        answer.writeHead(response.statusCode ?? 502, endToEnd(response.headers));
        response.pipe(answer);
        response.on('error', () => answer.destroy());
      },
      (error) => {
        counters.upstreamErrors += 1;
        if (answer.headersSent) answer.destroy();
        else answer.writeHead(502, { 'content-type': 'text/plain' }).end(`upstream: ${error.message}\n`);
      },
    );
  };
}

function forwardedHeaders(incoming: IncomingMessage | Http2ServerRequest): Record<string, string | string[]> {
  const headers = endToEnd(incoming.headers);
  const authority = incoming.headers[':authority'];
  if (headers.host === undefined && typeof authority === 'string') headers.host = authority;
  const client = incoming.socket?.remoteAddress;
  if (client) headers['x-forwarded-for'] = [headers['x-forwarded-for'] ?? [], client].flat().join(', ');
  return headers;
}
