import http2 from 'node:http2';
import type { Http1Response } from './http1-response.js';
import { kindOfError } from './loss-kind.js';
import type { LoadRequest } from './request.js';
import type { LossKind } from './types.js';

const REFUSED_STREAM = http2.constants.NGHTTP2_REFUSED_STREAM;
/** A server that refuses the same request for ever loses it. */
const RETRIES = 3;

export interface H2Listener {
  answered(request: LoadRequest, response: Http1Response): void;
  failed(request: LoadRequest, kind: LossKind, detail: string): void;
  opened(): void;
  /** A request is sent again because the server said that it had not looked at it. */
  retried(): void;
}

/** The HTTP/2 sessions to one target, with prior knowledge and without TLS. */
export class H2Pool {
  readonly #target: string;
  readonly #size: number;
  readonly #listener: H2Listener;
  /** With holes where a session has ended. */
  readonly #sessions: (http2.ClientHttp2Session | undefined)[] = [];
  readonly #openedMs = new WeakMap<http2.ClientHttp2Session, number>();
  readonly #streams = new Map<LoadRequest, http2.ClientHttp2Stream>();
  #turn = 0;

  constructor(target: string, size: number, listener: H2Listener) {
    this.#target = target;
    this.#size = size;
    this.#listener = listener;
  }

  submit(request: LoadRequest): void {
    const session = this.#session();
    request.reused = !session.connecting;
    request.openedMs = this.#openedMs.get(session)!;
    const stream = session.request({
      ':method': request.method,
      ':path': request.path,
      ...(request.method === 'POST' ? { 'content-length': String(request.body.length) } : {}),
    });
    this.#streams.set(request, stream);
    request.sentMs = performance.now();
    stream.end(request.method === 'POST' ? request.body : undefined);
    this.#watch(request, stream);
  }

  giveUp(request: LoadRequest): boolean {
    const stream = this.#streams.get(request);
    if (!stream) return false;
    this.#fail(request, 'timeout', 'no answer');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    return true;
  }

  retire(): void {
    for (const session of this.#sessions.splice(0)) session?.close();
  }

  close(): void {
    for (const session of this.#sessions.splice(0)) session?.destroy();
  }

  #session(): http2.ClientHttp2Session {
    const at = this.#turn++ % Math.max(1, this.#size);
    const known = this.#sessions[at];
    if (known && !known.closed && !known.destroyed) return known;
    const session = http2.connect(`http://${this.#target}`);
    // Each of its streams hears of the error, too.
    session.on('error', () => undefined);
    // A server that says goodbye takes no new streams on this session, but answers those it has.
    session.on('goaway', () => this.#leave(session));
    session.on('close', () => this.#leave(session));
    this.#sessions[at] = session;
    this.#openedMs.set(session, performance.now());
    this.#listener.opened();
    return session;
  }

  #leave(session: http2.ClientHttp2Session): void {
    const at = this.#sessions.indexOf(session);
    if (at >= 0) this.#sessions[at] = undefined;
  }

  #watch(request: LoadRequest, stream: http2.ClientHttp2Stream): void {
    const parts: Buffer[] = [];
    let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    let error: NodeJS.ErrnoException | undefined;
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', (given: NodeJS.ErrnoException) => {
      error = given;
    });
    stream.on('close', () => {
      if (!this.#streams.delete(request)) return;
      const status = head[':status'];
      if (stream.rstCode === REFUSED_STREAM) this.#again(request);
      else if (error || status === undefined || stream.rstCode !== 0) this.#broken(request, stream, error);
      else this.#answer(request, status, head, Buffer.concat(parts));
    });
  }

  #answer(request: LoadRequest, status: number, head: http2.IncomingHttpHeaders, body: Buffer): void {
    const given = head['x-mesh-version'];
    const version = Array.isArray(given) ? given[0] : given;
    this.#listener.answered(request, { status, body, closes: false, version });
  }

  #again(request: LoadRequest): void {
    if (request.retries >= RETRIES) {
      this.#listener.failed(request, 'refused-stream', `refused ${RETRIES} times`);
      return;
    }
    request.retries += 1;
    this.#listener.retried();
    this.submit(request);
  }

  #broken(request: LoadRequest, stream: http2.ClientHttp2Stream, error: NodeJS.ErrnoException | undefined): void {
    const code = error?.code?.startsWith('ERR_') ? undefined : error?.code;
    const kind = error ? kindOfError(code, true) : 'closed';
    this.#listener.failed(request, kind, error?.message ?? `stream closed with code ${stream.rstCode}`);
  }

  #fail(request: LoadRequest, kind: LossKind, detail: string): void {
    this.#streams.delete(request);
    this.#listener.failed(request, kind, detail);
  }
}
