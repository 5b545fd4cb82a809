import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import { spread } from './served.js';

/** The sessions of an HTTP/2 server and their GOAWAYs, spread over a window. */
export class Http2Sessions {
  readonly #sessions = new Set<ServerHttp2Session>();
  #closeAt = new WeakMap<ServerHttp2Session, number>();
  readonly #windowMs: number;

  constructor(server: Http2Server | Http2SecureServer, windowMs: number, onClose: () => void) {
    this.#windowMs = windowMs;
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => {
        this.#sessions.delete(session);
        onClose();
      });
    });
  }

  /** A new drain: earlier plans are void. */
  plan(): void {
    this.#closeAt = new WeakMap();
  }

  /** Sends the GOAWAYs that are due; returns the milliseconds until the next one. */
  closeDue(): number {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      const due = this.#closeAt.get(session) ?? now + spread(this.#windowMs);
      this.#closeAt.set(session, due);
      if (due > now) next = Math.min(next, due - now);
      else if (!session.closed) session.close();
    }
    return next;
  }
}
