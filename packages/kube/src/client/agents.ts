import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { TlsMaterial } from '../config/connection.js';

/** API servers close idle connections after 90 s; leaving first avoids a request that meets the closing. */
const IDLE_SOCKET_MS = 55_000;

/** The two pools of one identity: kept-alive connections for calls, a connection of its own for every stream. */
export class Agents {
  readonly calls: http.Agent;
  readonly streams: http.Agent;
  readonly #fingerprint: string;

  constructor(protocol: string, tls: TlsMaterial, maxSockets: number) {
    this.#fingerprint = fingerprintOf(tls);
    const pooled = { keepAlive: true, scheduling: 'lifo' as const, maxSockets, timeout: IDLE_SOCKET_MS };
    const Agent = protocol === 'http:' ? http.Agent : https.Agent;
    const identity = protocol === 'http:' ? {} : tls;
    this.calls = new Agent({ ...pooled, ...identity });
    this.streams = new Agent({ keepAlive: false, ...identity });
  }

  fits(tls: TlsMaterial): boolean {
    return this.#fingerprint === fingerprintOf(tls);
  }

  /** Closes what is idle; calls under way keep their connection. */
  retire(): void {
    for (const sockets of Object.values(this.calls.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  destroy(): void {
    this.calls.destroy();
    this.streams.destroy();
  }
}

const fingerprintOf = (tls: TlsMaterial): string => createHash('sha256').update(JSON.stringify(tls)).digest('base64');
