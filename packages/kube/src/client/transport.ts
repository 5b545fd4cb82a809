import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../clock.js';
import type { Credentials, KubeConnection } from '../config/connection.js';
import { KubeError } from '../error.js';
import { Agents } from './agents.js';
import { awaitAnswer } from './answer-deadline.js';

export interface RawRequest {
  method: string;
  path: string;
  body?: string | undefined;
  contentType?: string | undefined;
  /** Default `application/json`. */
  accept?: string | undefined;
  /** Until the whole answer, or for a stream until its headers, are there. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface RawAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface TransportOptions {
  userAgent: string;
  /** Connections at once for ordinary calls; watches have their own. */
  maxSockets: number;
  clock?: Clock | undefined;
}

/** Credentials are read again after this long: bound tokens are rotated hourly, exec plugins keep their own caches. */
const CREDENTIALS_TTL_MS = 60_000;

/** How long a silent connection may be before the kernel asks whether the other side is still there. */
const TCP_KEEPALIVE_MS = 15_000;

/** Sends requests with a connection's credentials. Knows HTTP, not Kubernetes. Rejects with `KubeError` of status 0 only. */
export class Transport {
  readonly #connection: KubeConnection;
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #base: URL;
  readonly #basePath: string;
  #credentials: Credentials | undefined;
  #readAt = 0;
  #agents: Agents | undefined;

  constructor(connection: KubeConnection, options: TransportOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#base = new URL(connection.server);
    this.#basePath = this.#base.pathname.replace(/\/$/, '');
  }

  /** The next call reads the credentials again. */
  forgetCredentials(): void {
    this.#readAt = 0;
  }

  /** Closes every connection; calls and streams under way fail. */
  close(): void {
    this.#agents?.destroy();
  }

  /** One request and its whole answer, whatever its status. */
  async call(request: RawRequest): Promise<RawAnswer> {
    const outgoing = await this.#send(request, 'calls');
    return new Promise((resolve, reject) => {
      let late = false;
      const answered = awaitAnswer(this.#clock, request.timeoutMs, () => {
        late = true;
        outgoing.destroy();
      });
      const fail = (error: unknown) => {
        answered();
        reject(late ? timedOut(request) : connectionError(request, error));
      };
      outgoing.once('error', fail);
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', fail);
        incoming.once('end', () => {
          answered();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
    });
  }

  /** Opens a request whose answer is read piece by piece; resolves at its headers. Aborting the signal ends it. */
  async stream(request: RawRequest): Promise<http.IncomingMessage> {
    const outgoing = await this.#send(request, 'streams');
    return new Promise((resolve, reject) => {
      const answered = awaitAnswer(this.#clock, request.timeoutMs, () => outgoing.destroy(timedOut(request)));
      outgoing.once('socket', (socket: Socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
      outgoing.once('response', (incoming) => {
        answered();
        resolve(incoming);
      });
      // Stays for the life of the stream: a reset after the headers is reported here too, and must not be unhandled.
      outgoing.on('error', (error) => {
        answered();
        reject(connectionError(request, error));
      });
    });
  }

  async #send(request: RawRequest, purpose: 'calls' | 'streams'): Promise<http.ClientRequest> {
    const credentials = await this.#current();
    const payload = request.body === undefined ? undefined : Buffer.from(request.body);
    const send = this.#base.protocol === 'http:' ? http.request : https.request;
    const outgoing = send({
      method: request.method,
      hostname: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port,
      path: `${this.#basePath}${request.path}`,
      agent: credentials.agent ?? this.#agents?.[purpose],
      ...(request.signal ? { signal: request.signal } : {}),
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': this.#options.userAgent,
        ...credentials.headers,
        ...(payload
          ? { 'content-type': request.contentType ?? 'application/json', 'content-length': payload.length }
          : {}),
      },
    });
    outgoing.end(payload);
    return outgoing;
  }

  async #current(): Promise<Credentials> {
    const now = this.#clock.now().getTime();
    if (this.#credentials && now - this.#readAt < CREDENTIALS_TTL_MS) return this.#credentials;
    try {
      this.#credentials = await this.#connection.credentials();
    } catch (cause) {
      // A token file in the middle of its rotation is no reason to stop: the old one is still good.
      if (!this.#credentials) throw unreadable(cause);
    }
    this.#readAt = now;
    if (!this.#agents?.fits(this.#credentials.tls)) {
      this.#agents?.retire();
      this.#agents = new Agents(this.#base.protocol, this.#credentials.tls, this.#options.maxSockets);
    }
    return this.#credentials;
  }
}

const timedOut = (request: RawRequest) =>
  new KubeError({
    status: 0,
    reason: 'Timeout',
    message: `${request.method} ${request.path}: no answer within ${request.timeoutMs} ms`,
  });

const unreadable = (cause: unknown) =>
  new KubeError({
    status: 0,
    reason: 'ConnectionFailed',
    message: `the credentials cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  });

/** Whatever went wrong on the way, as a `KubeError` of status 0. */
export function connectionError(request: { method: string; path: string }, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const aborted = error instanceof Error && error.name === 'AbortError';
  return new KubeError({
    status: 0,
    reason: aborted ? 'Aborted' : 'ConnectionFailed',
    message: `${request.method} ${request.path}: ${error instanceof Error ? error.message : String(error)}`,
    cause: error,
  });
}
