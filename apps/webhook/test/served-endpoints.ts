import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, createMetrics } from '@sidestep/observability';
import { Reviews, type Webhook } from '../src/admission/reviews.js';
import { Endpoints } from '../src/http/endpoints.js';
import { type MemoryViewOptions, memoryView } from './memory-view.js';

/** The webhooks behind a real HTTP server. */
export async function serveEndpoints(view: MemoryViewOptions) {
  const metrics = createMetrics({ processMetrics: false });
  const log = createLogger({ name: 'test', level: 'silent' });
  const known = memoryView(view);
  const reviews = new Reviews({ view: known, metrics, log, now: () => new Date(0) });
  const missing = () => known.missing();
  const endpoints = new Endpoints({ reviews, missing, metrics, log, maxInFlight: 100 });
  const server = createServer(
    (request, response) => void endpoints.handle(request.url?.slice(1) as Webhook, request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    metrics,
    post: async (webhook: Webhook, body: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + webhook, { method: 'POST', body, headers });
      return { status: response.status, text: await response.text() };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
