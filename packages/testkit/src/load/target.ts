import { Connection, type Outcome } from './connection.js';

const POST_BODY_BYTES = 256;

/** One thing that is due: sent on the next free connection. */
export interface DueRequest {
  method: 'GET' | 'POST';
  short: boolean;
  dueMs: number;
  body: string;
}

export interface Settled {
  request: DueRequest;
  outcome: Outcome;
  reused: boolean;
}

const newBody = (sequence: number): string => `${sequence}:`.padEnd(POST_BODY_BYTES, 'sidestep');

/** Connections to one address, and the longest time in which nothing came back from it. */
export class Target {
  readonly address: string;
  reconnects = 0;
  maxGapMs = 0;
  private readonly host: string;
  private readonly port: number;
  private readonly timeoutMs: number;
  private readonly limit: number;
  private readonly onSettled: (target: Target, settled: Settled) => void;
  private readonly idle: Connection[] = [];
  private readonly open = new Set<Connection>();
  private readonly waiting: DueRequest[] = [];
  private keptAlive = 0;
  private sequence = 0;
  private lastServed: number | undefined;

  constructor(
    address: string,
    options: { keepalive: number; timeoutMs: number },
    onSettled: (target: Target, settled: Settled) => void,
  ) {
    this.address = address;
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.limit = options.keepalive;
    this.timeoutMs = options.timeoutMs;
    this.onSettled = onSettled;
  }

  get inFlight(): number {
    return this.waiting.length + [...this.open].filter((connection) => connection.busy).length;
  }

  fire(method: 'GET' | 'POST', short: boolean, dueMs: number): void {
    this.sequence += 1;
    const request: DueRequest = { method, short, dueMs, body: method === 'POST' ? newBody(this.sequence) : '' };
    if (short) this.send(this.connect(false), request);
    else this.sendKeptAlive(request);
  }

  /** Waits for nothing; what is in flight is forgotten. */
  close(): void {
    for (const connection of this.open) connection.close();
  }

  /** Closes the gap that is still running. */
  measureGap(nowMs: number): number {
    if (this.lastServed !== undefined && this.inFlight > 0)
      this.maxGapMs = Math.max(this.maxGapMs, nowMs - this.lastServed);
    return this.maxGapMs;
  }

  private sendKeptAlive(request: DueRequest): void {
    for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) {
      if (!connection.usable) continue;
      this.send(connection, request);
      return;
    }
    if (this.keptAlive < this.limit) this.send(this.connect(true), request);
    else this.waiting.push(request);
  }

  private connect(keep: boolean): Connection {
    if (keep) this.keptAlive += 1;
    const connection = new Connection(this.host, this.port, (gone) => {
      if (!this.open.delete(gone)) return;
      if (!keep) return;
      this.keptAlive -= 1;
      this.reconnects += 1;
      const next = this.waiting.shift();
      if (next) this.sendKeptAlive(next);
    });
    this.open.add(connection);
    return connection;
  }

  private send(connection: Connection, request: DueRequest): void {
    const reused = connection.served > 0;
    connection.send(this.bytesOf(request), this.timeoutMs, (outcome) => {
      if (outcome.kind === 'answer') this.served();
      this.onSettled(this, { request, outcome, reused });
      if (!request.short && connection.usable) this.release(connection);
    });
  }

  private release(connection: Connection): void {
    const next = this.waiting.shift();
    if (next) this.send(connection, next);
    else this.idle.push(connection);
  }

  private served(): void {
    const now = performance.now();
    if (this.lastServed !== undefined) this.maxGapMs = Math.max(this.maxGapMs, now - this.lastServed);
    this.lastServed = now;
  }

  private bytesOf({ method, short, body }: DueRequest): string {
    const connection = short ? 'close' : 'keep-alive';
    const head = `${method} /${method === 'POST' ? 'echo' : ''} HTTP/1.1\r\nhost: ${this.address}\r\nconnection: ${connection}\r\n`;
    return method === 'POST' ? `${head}content-length: ${body.length}\r\n\r\n${body}` : `${head}\r\n`;
  }
}
