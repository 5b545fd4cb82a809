import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

export interface UpstreamRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  body: Readable;
}

/** A pooled connection that was idle this long is not used again: servers close theirs from 5 s on (Node's default). */
const FREE_SOCKET_MS = 2_000;
const SAFE_TO_REPEAT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * Connections to the application.
 *
 * The race between our next request and the application closing an idle connection can lose a request. It is avoided rather than
 * repaired: idle connections are given up well before the application would close them. What fails all the same on a connection that
 * was used before is sent again only if that is safe (no body, a method without effects); a POST is answered with 502.
 */
export class Upstream {
  readonly #host: string;
  readonly #port: number;
  readonly #pool = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: FREE_SOCKET_MS, scheduling: 'lifo' });

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  /** Sends one request; `answered` gets the response, `failed` the error of the last try. */
  send(outgoing: UpstreamRequest, answered: (response: IncomingMessage) => void, failed: (error: Error) => void): void {
    const repeatable = SAFE_TO_REPEAT.has(outgoing.method) && !hasBody(outgoing.headers);
    this.#try(outgoing, repeatable, 1, answered, failed);
  }

  #try(
    outgoing: UpstreamRequest,
    repeatable: boolean,
    attempt: number,
    answered: (response: IncomingMessage) => void,
    failed: (error: Error) => void,
  ): void {
    const { method, path, headers } = outgoing;
    const sent: ClientRequest = request({
      host: this.#host,
      port: this.#port,
      agent: this.#pool,
      method,
      path,
      headers,
    });
    let answering = false;
    sent.on('response', (response) => {
      answering = true;
      answered(response);
    });
    sent.on('error', (error) => {
      if (answering) return;
      if (repeatable && sent.reusedSocket && attempt < 3)
        this.#try(outgoing, repeatable, attempt + 1, answered, failed);
      else failed(error);
    });
    if (repeatable) sent.end();
    else {
      outgoing.body.on('error', () => sent.destroy());
      outgoing.body.pipe(sent);
    }
  }

  close(): void {
    this.#pool.destroy();
  }
}

function hasBody(headers: Record<string, string | string[]>): boolean {
  const length = headers['content-length'];
  return length === undefined ? headers['transfer-encoding'] !== undefined : length !== '0';
}
