import net from 'node:net';
import { type Http1Response, Http1ResponseReader, MalformedResponse } from './http1-response.js';
import { kindOfError } from './loss-kind.js';
import { http1Bytes, type LoadRequest } from './request.js';
import type { LossKind } from './types.js';

/** Who is told what becomes of a request and of its connection. */
export interface ConnectionListener {
  answered(request: LoadRequest, response: Http1Response): void;
  failed(request: LoadRequest, kind: LossKind, detail: string): void;
  /** Ready for the next request. */
  idle(connection: Http1Connection): void;
  ended(connection: Http1Connection, how: 'idle' | 'by-server' | 'by-client' | 'failed'): void;
}

/** One TCP connection with one request at a time. */
export class Http1Connection {
  readonly target: string;
  readonly #socket: net.Socket;
  readonly #listener: ConnectionListener;
  readonly #reader = new Http1ResponseReader();
  readonly #single: boolean;
  readonly #openedMs = performance.now();
  #request: LoadRequest | undefined;
  #connected = false;
  #answers = 0;
  #over = false;

  /** Opens the connection for `request`; a single one is asked to be closed after the answer. */
  constructor(request: LoadRequest, single: boolean, listener: ConnectionListener) {
    this.target = request.target;
    this.#listener = listener;
    this.#single = single;
    const colon = request.target.lastIndexOf(':');
    const host = request.target.slice(0, colon).replace(/^\[|\]$/g, '');
    this.#socket = net.connect({ host, port: Number(request.target.slice(colon + 1)), noDelay: true });
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(kindOfError(error.code, this.#connected), error.code ?? error.message),
    );
    this.#socket.on('end', () => this.#onEnd());
    this.#request = request;
    request.openedMs = this.#openedMs;
  }

  send(request: LoadRequest): void {
    this.#request = request;
    request.reused = this.#answers > 0;
    request.openedMs = this.#openedMs;
    this.#write();
  }

  /** The request waited too long: the connection is of no use any more. */
  giveUp(): void {
    this.#fail('timeout', this.#connected ? 'no answer' : 'no connection');
  }

  close(): void {
    this.#finish('by-client');
  }

  #onConnect(): void {
    this.#connected = true;
    this.#write();
  }

  #write(): void {
    const request = this.#request;
    if (!request) return;
    request.sentMs = performance.now();
    this.#socket.write(http1Bytes(request, this.#single), 'latin1');
  }

  #onData(chunk: Buffer): void {
    if (!this.#request) {
      this.#finish('failed');
      return;
    }
    try {
      const response = this.#reader.take(chunk);
      if (response) this.#onResponse(response);
    } catch (error) {
      if (!(error instanceof MalformedResponse)) throw error;
      this.#fail('unparsable', error.message);
    }
  }

  #onResponse(response: Http1Response): void {
    const request = this.#request!;
    this.#request = undefined;
    this.#answers += 1;
    this.#listener.answered(request, response);
    if (this.#single || response.closes) this.#finish(this.#single ? 'by-client' : 'by-server');
    else this.#listener.idle(this);
  }

  #onEnd(): void {
    const response = this.#request && this.#reader.end();
    if (response) this.#onResponse({ ...response, closes: true });
    else if (this.#request) this.#fail('closed', this.#reader.hasBegun ? 'in the answer' : 'no answer');
    else this.#finish('idle');
  }

  #fail(kind: LossKind, detail: string): void {
    const request = this.#request;
    this.#request = undefined;
    if (request) this.#listener.failed(request, kind, detail);
    this.#finish(request ? 'failed' : 'idle');
  }

  #finish(how: 'idle' | 'by-server' | 'by-client' | 'failed'): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#listener.ended(this, how);
  }
}
