import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server } from 'node:net';
import type { DrainCounts, DrainTools } from '../handover/workload.js';
import { Acceptor } from './acceptor.js';
import { Http2Sessions } from './http2-sessions.js';
import { drainUntilEmpty, type Served, Wakeup } from './served.js';

/**
 * An HTTP/2 server. Each session gets a GOAWAY at a random moment of the window; streams in flight end first, and streams that the
 * client opens meanwhile are refused in the way that is safe to retry (REFUSED_STREAM). Node cannot do the two-phase GOAWAY of
 * RFC 9113: after any GOAWAY it ignores every new stream.
 */
export class ServedHttp2 implements Served {
  readonly #acceptor: Acceptor;
  readonly #sessions: Http2Sessions;
  readonly #wakeup = new Wakeup();
  readonly ticketKeys?: { get(): Buffer; set(keys: Buffer): void };

  constructor(server: Http2Server | Http2SecureServer, windowMs: number) {
    this.#acceptor = new Acceptor(server as Server, () => this.#wakeup.wake());
    this.#sessions = new Http2Sessions(server, windowMs, () => this.#wakeup.wake());
    if ('getTicketKeys' in server) {
      this.ticketKeys = { get: () => server.getTicketKeys(), set: (keys) => server.setTicketKeys(keys) };
    }
  }

  attach(fd: number, backlog: number): Promise<void> {
    return this.#acceptor.attach(fd, backlog);
  }

  detach(): void {
    this.#acceptor.detach();
  }

  openConnections(): number {
    return this.#acceptor.sockets.size;
  }

  adopt(): boolean {
    return false;
  }

  async drain(tools: DrainTools): Promise<DrainCounts> {
    const before = this.openConnections();
    this.#sessions.plan();
    const { killed, left } = await drainUntilEmpty(tools, this.#wakeup, {
      open: () => this.openConnections(),
      round: () => this.#sessions.closeDue(),
      cut: () => {
        for (const socket of this.#acceptor.sockets) socket.destroy();
      },
    });
    return { migrated: 0, drained: Math.max(0, before - killed - left), killed };
  }
}
