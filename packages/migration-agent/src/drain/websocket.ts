import { spread } from './served.js';

/** What a `ws` WebSocketServer offers, and all that is needed of it. */
export interface WebSockets {
  clients: Iterable<{ close(code: number, reason: string): void }>;
}

/** RFC 6455's registry: the service restarts, come back. */
const SERVICE_RESTART = 1012;

/** Closes each socket at a random moment of the window, so that the clients do not reconnect in one storm. */
export function closeWebSockets(websockets: WebSockets, windowMs: number, cancelled: AbortSignal): void {
  for (const client of websockets.clients) {
    const timer = setTimeout(() => client.close(SERVICE_RESTART, 'service restart'), spread(windowMs));
    cancelled.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }
}
