import net from 'node:net';
import { type ParsedResponse, ResponseParser } from './response-parser.js';
import type { LossKind } from './types.js';

export type Outcome = { kind: 'answer'; response: ParsedResponse } | { kind: LossKind };

/**
 * One client connection with at most one request on it. Node's own client hides which close hit a request and which an idle
 * connection, and that difference is what is measured here.
 */
export class Connection {
  /** Answers so far. */
  served = 0;
  private readonly socket: net.Socket;
  private readonly parser = new ResponseParser();
  private pending: ((outcome: Outcome) => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private dead = false;
  private readonly onGone: (connection: Connection) => void;

  constructor(host: string, port: number, onGone: (connection: Connection) => void) {
    this.onGone = onGone;
    this.socket = net.connect({ host, port, noDelay: true });
    this.socket.on('data', (chunk) => this.receive(chunk));
    this.socket.on('error', (error: NodeJS.ErrnoException) =>
      this.end(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'),
    );
    this.socket.on('close', () => this.end('closed'));
    this.socket.on('end', () => this.end('closed'));
  }

  get usable(): boolean {
    return !this.dead && this.pending === undefined;
  }

  get busy(): boolean {
    return this.pending !== undefined;
  }

  send(bytes: string, timeoutMs: number, done: (outcome: Outcome) => void): void {
    this.pending = done;
    this.timer = setTimeout(() => this.end('timeout'), timeoutMs);
    this.socket.write(bytes);
  }

  close(): void {
    this.dead = true;
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    try {
      const response = this.parser.push(chunk);
      if (!response) return;
      this.served += 1;
      if (response.closes) this.dead = true;
      this.settle({ kind: 'answer', response });
      if (this.dead) this.leave();
    } catch {
      this.end('unparsable');
    }
  }

  private end(kind: LossKind): void {
    this.dead = true;
    this.settle({ kind });
    this.leave();
  }

  private leave(): void {
    this.socket.destroy();
    this.onGone(this);
  }

  private settle(outcome: Outcome): void {
    clearTimeout(this.timer);
    const done = this.pending;
    this.pending = undefined;
    done?.(outcome);
  }
}
