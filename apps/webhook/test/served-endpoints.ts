import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, createMetrics } from '@sidestep/observability';
import { Reviews, type Webhook } from '../src/admission/reviews.js';
import { Endpoints } from '../src/http/endpoints.js';
import { type MemoryViewOptions, memoryView } from './memory-view.js';

/** The webhooks behind a real HTTP server. */
export async function serveEndpoints(view: MemoryViewOptions, maxBytesInFlight = 64 * 2 ** 20) {
  const metrics = createMetrics({ processMetrics: false });
  const log = createLogger({ name: 'test', level: 'silent' });
  const known = memoryView(view);
  const reviews = new Reviews({ view: known, metrics, log, now: () => new Date(0) });
  const missing = () => known.missing();
  const endpoints = new Endpoints({ reviews, missing, metrics, log, maxInFlight: 100, maxBytesInFlight });
  const server = createServer(
    (request, response) => void endpoints.handle(request.url?.slice(1) as Webhook, request, response),
  );
  // On a slow machine the server would close a connection in the very moment in which the next request goes out on it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    metrics,
    post: async (webhook: Webhook, body: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + webhook, { method: 'POST', body, headers });
      const retryAfter = response.headers.get('retry-after');
      return { status: response.status, text: await response.text(), retryAfter };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
