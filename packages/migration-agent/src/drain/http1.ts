import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2Server } from 'node:http2';
import { Server as HttpsServer } from 'node:https';
import { type Server as NetServer, Socket } from 'node:net';
import type { DrainCounts, DrainTools } from '../handover/workload.js';
import { closeAll } from '../native/addon.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import { Acceptor } from './acceptor.js';
import { closesAlso, idleConnections } from './http1-idle.js';
import { Http2Sessions } from './http2-sessions.js';
import { isMovable, movableSockets, moveConnections } from './moving.js';
import { prefaceFront } from './preface.js';
import { drainUntilEmpty, type Served, spread, Wakeup } from './served.js';
import { SleepingConnections } from './sleeping.js';
import { closeWebSockets, type WebSockets } from './websocket.js';

export interface Http1Options {
  migrate: boolean;
  websockets: WebSockets | undefined;
  /** HTTP/2 with prior knowledge on the same port. */
  h2c: Http2Server | undefined;
  idleCloseSpreadMs: number;
}

/** Every answer would otherwise offer all of them again to a successor that has refused them, and nobody reads them meanwhile. */
const REFUSED_MS = 1_000;

/**
 * An HTTP/1.1 server. Its idle connections move to the successor between two messages, the busy ones when their answer ends; what
 * cannot move (TLS, a successor that does not take any) is told `Connection: close` with its next answer.
 */
export class ServedHttp1 implements Served {
  readonly #server: Server;
  readonly #options: Http1Options;
  /** What listens: the server itself, or the front that tells the HTTP versions apart. */
  readonly #front: NetServer;
  readonly #sessions: Http2Sessions | undefined;
  readonly #acceptor: Acceptor;
  readonly #wakeup = new Wakeup();
  readonly #sleeping = new SleepingConnections({
    woken: (fd) => this.#wake(fd),
    closed: () => this.#wakeup.wake(),
    timeoutMs: () => this.#server.keepAliveTimeout,
  });
  readonly #answers = new Set<ServerResponse>();
  readonly #closeAt = new WeakMap<Socket, number>();
  readonly ticketKeys?: { get(): Buffer; set(keys: Buffer): void };
  #closing = false;
  #offersAgainAt = 0;

  constructor(server: Server, options: Http1Options) {
    this.#server = server;
    this.#options = options;
    const { h2c, idleCloseSpreadMs } = options;
    this.#front = h2c ? prefaceFront(server, h2c) : server;
    this.#sessions = h2c ? new Http2Sessions(h2c, idleCloseSpreadMs, () => this.#wakeup.wake()) : undefined;
    this.#acceptor = new Acceptor(this.#front, () => this.#wakeup.wake());
    closesAlso(server, () => this.#sleeping.closeAll());
    server.prependListener('request', (_: IncomingMessage, answer: ServerResponse) => this.#onRequest(answer));
    if (server instanceof HttpsServer) {
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
    return this.#acceptor.sockets.size + this.#sleeping.size;
  }

  adopt(_record: ConnectionRecord, fd: number): boolean {
    return this.#sleeping.add(fd);
  }

  #wake(fd: number): void {
    const socket = socketOf(fd);
    if (socket) this.#front.emit('connection', socket);
  }

  async drain(tools: DrainTools, listener: string): Promise<DrainCounts> {
    const { migrate } = tools;
    const moves = this.#options.migrate && migrate !== undefined && !(this.#server instanceof HttpsServer);
    const counts: DrainCounts = { migrated: 0, drained: 0, killed: 0 };
    const before = this.openConnections();
    this.#closing = !moves;
    this.#sessions?.plan();
    if (this.#closing) for (const answer of this.#answers) closeAfter(answer);
    if (this.#options.websockets)
      closeWebSockets(this.#options.websockets, this.#options.idleCloseSpreadMs, tools.cancelled);
    const { killed, left } = await drainUntilEmpty(tools, this.#wakeup, {
      open: () => this.openConnections(),
      round: async () => {
        const nextGoaway = this.#sessions?.closeDue() ?? Number.POSITIVE_INFINITY;
        if (!moves) {
          const nextAsleep = this.#sleeping.closeDue(this.#options.idleCloseSpreadMs);
          return Math.min(nextGoaway, nextAsleep, this.#closeIdle());
        }
        counts.migrated += await this.#moveIdle(migrate, listener);
        return nextGoaway;
      },
      cut: () => {
        this.#sleeping.closeAll();
        for (const socket of this.#acceptor.sockets) socket.destroy();
      },
    });
    this.#closing = false;
    counts.killed = killed;
    counts.drained = Math.max(0, before - counts.migrated - killed - left);
    return counts;
  }

  #onRequest(answer: ServerResponse): void {
    this.#answers.add(answer);
    answer.once('close', () => {
      this.#answers.delete(answer);
      this.#wakeup.wake();
    });
    if (this.#closing) closeAfter(answer);
  }

  /** Moves every connection that is between two messages; what the successor refuses is read here again. */
  async #moveIdle(migrate: NonNullable<DrainTools['migrate']>, listener: string): Promise<number> {
    if (performance.now() < this.#offersAgainAt) return 0;
    const idle = idleConnections(this.#server, this.#acceptor.sockets).filter(isMovable);
    const record = { listener, protocol: 'http1' as const };
    const offered = [...this.#sleeping.leave(record), ...movableSockets(idle, record)];
    const moved = await moveConnections(offered, migrate);
    if (moved < offered.length) this.#offersAgainAt = performance.now() + REFUSED_MS;
    return moved;
  }

  #closeIdle(): number {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const socket of idleConnections(this.#server, this.#acceptor.sockets)) {
      const due = this.#closeAt.get(socket) ?? now + spread(this.#options.idleCloseSpreadMs);
      this.#closeAt.set(socket, due);
      if (due <= now) socket.destroy();
      else next = Math.min(next, due - now);
    }
    return next;
  }
}

/** Undefined, and closed, when it is nothing that Node can read: a peer may send whatever it likes as a connection. */
function socketOf(fd: number): Socket | undefined {
  try {
    return new Socket({ fd, readable: true, writable: true });
  } catch {
    closeAll([fd]);
    return undefined;
  }
}

/** Tells the client with this answer that the connection ends; its next request goes to the successor. */
function closeAfter(answer: ServerResponse): void {
  if (answer.headersSent) return;
  answer.shouldKeepAlive = false;
  answer.setHeader('Connection', 'close');
}
