import { type ConnectionListener, Http1Connection } from './http1-connection.js';
import type { LoadRequest } from './request.js';

/** A request that found no free connection for this long gets one of its own: callers in the field do not share a few connections. */
const PATIENCE_MS = 20;
/** But not without end, or a server that cannot keep up would be buried in connections: this many times the limit. */
const RELIEF = 8;

/** The HTTP/1.1 connections to one target: kept ones in a limited number, and one for each short request. */
export class TargetPool {
  readonly #limit: number;
  readonly #listener: ConnectionListener;
  readonly #idle: Http1Connection[] = [];
  readonly #kept = new Set<Http1Connection>();
  readonly #short = new Set<Http1Connection>();
  /** Requests for which no kept connection is free. */
  readonly #waiting: LoadRequest[] = [];
  readonly #carrier = new Map<LoadRequest, Http1Connection>();
  #closed = false;

  constructor(limit: number, outside: Omit<ConnectionListener, 'idle'>) {
    this.#limit = limit;
    this.#listener = {
      answered: (request, response) => {
        this.#carrier.delete(request);
        outside.answered(request, response);
      },
      failed: (request, kind, detail) => {
        this.#carrier.delete(request);
        outside.failed(request, kind, detail);
      },
      idle: (connection) => this.#onIdle(connection),
      ended: (connection, how) => {
        this.#onEnded(connection);
        outside.ended(connection, how);
      },
    };
  }

  /** Sends the request now, or as soon as a connection is free; returns how many connections were opened for it. */
  submit(request: LoadRequest): number {
    if (request.connection === 'short') return this.#openFor(request, this.#short);
    const free = this.#idle.pop();
    if (free) this.#sendOn(free, request);
    else if (this.#kept.size < this.#limit) return this.#openFor(request, this.#kept);
    else this.#waiting.push(request);
    return 0;
  }

  /** Opens connections for requests that waited long enough; returns how many. */
  relieve(nowMs: number): number {
    let opened = 0;
    const room = () => this.#kept.size < this.#limit * RELIEF;
    while (this.#waiting[0] && nowMs - this.#waiting[0].dueMs > PATIENCE_MS && room()) {
      opened += this.#openFor(this.#waiting.shift()!, this.#kept);
    }
    return opened;
  }

  /** Ends a request that took too long; false when it was still waiting in line. */
  giveUp(request: LoadRequest): boolean {
    const connection = this.#carrier.get(request);
    if (connection) {
      connection.giveUp();
      return true;
    }
    const at = this.#waiting.indexOf(request);
    if (at >= 0) this.#waiting.splice(at, 1);
    return false;
  }

  /** No new requests will come: connections end as they become free. */
  retire(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  close(): void {
    this.retire();
    for (const connection of [...this.#kept, ...this.#short]) connection.close();
  }

  #openFor(request: LoadRequest, among: Set<Http1Connection>): number {
    const connection = new Http1Connection(request, among === this.#short, this.#listener);
    among.add(connection);
    this.#carrier.set(request, connection);
    return 1;
  }

  #sendOn(connection: Http1Connection, request: LoadRequest): void {
    this.#carrier.set(request, connection);
    connection.send(request);
  }

  #onIdle(connection: Http1Connection): void {
    const next = this.#waiting.shift();
    if (next) this.#sendOn(connection, next);
    else if (this.#closed || this.#kept.size > this.#limit) connection.close();
    else this.#idle.push(connection);
  }

  /** What waited for it gets its connection from the next `relieve`. */
  #onEnded(connection: Http1Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#short.delete(connection);
    this.#kept.delete(connection);
  }
}
