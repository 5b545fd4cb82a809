import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger, Metrics } from '@sidestep/observability';
import { MalformedReview } from '../admission/review.js';
import type { Reviews, Webhook } from '../admission/reviews.js';
import { BodyBytes, type BodyShare } from './body-bytes.js';
import { checkHeaders, RequestRefused, readBody, SenderGone } from './read-body.js';

const MIB = 1024 * 1024;

/** An API server takes objects of up to 3 MiB and sends the old one along. */
const LARGEST_REVIEW = 8 * MIB;
/** Conversion gets whole lists at once. */
const LARGEST_CONVERSION = 64 * MIB;

/** How long a sender may go on with a body that nobody wants, so that it can read why. */
const LINGER_MS = 2_000;
/** What there is too much of, or too little, changes from moment to moment. */
const RETRY_SECONDS = 1;
const PLAIN = 'text/plain; charset=utf-8';

export interface EndpointsOptions {
  reviews: Reviews;
  /** What is not in memory yet; while there is something, admission is not answered. */
  missing: () => string[];
  metrics: Metrics;
  log: Logger;
  /** Requests being read or answered at once; further ones get 503. */
  maxInFlight: number;
  /** Bytes of the bodies being read or answered at once; a request for which there is no room gets 503. */
  maxBytesInFlight: number;
}

/** The HTTP side of the four webhooks. Whatever comes in, an answer goes out: nothing here rejects. */
export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #bytes: BodyBytes;
  #inFlight = 0;
  #draining = false;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#bytes = new BodyBytes(options.maxBytesInFlight, (held) => options.metrics.admissionBytesInFlight.set(held));
  }

  /** From now on every answer asks its sender to come back over another connection, that is to another process. */
  drain(): void {
    this.#draining = true;
  }

  async handle(webhook: Webhook, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, reviews } = this.#options;
    this.#inFlight += 1;
    metrics.admissionInFlight.set(this.#inFlight);
    const share = this.#bytes.share();
    try {
      const body = await this.#body(webhook, request, share);
      const startedAt = performance.now();
      const answer = await reviews.answer(webhook, body);
      this.#send(response, 200, 'application/json', answer.body);
      metrics.admissionSeconds.observe({ webhook, result: answer.result }, (performance.now() - startedAt) / 1000);
    } catch (error) {
      this.#refuse(webhook, request, response, error);
    } finally {
      this.#inFlight -= 1;
      share.giveBack();
      metrics.admissionInFlight.set(this.#inFlight);
    }
  }

  #body(webhook: Webhook, request: IncomingMessage, share: BodyShare): Promise<string> {
    const limit = webhook === 'convert' ? LARGEST_CONVERSION : LARGEST_REVIEW;
    checkHeaders(request, limit);
    if (this.#inFlight > this.#options.maxInFlight) throw new RequestRefused(503, 'too many reviews at once');
    // Conversion needs nothing from memory, and the first list of SidecarSets may need conversion.
    const missing = webhook === 'convert' ? [] : this.#options.missing();
    if (missing.length > 0) throw new RequestRefused(503, `not listed yet: ${missing.join(', ')}`);
    return readBody(request, limit, share);
  }

  #refuse(webhook: Webhook, request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { metrics, log } = this.#options;
    if (error instanceof SenderGone) {
      metrics.admissionRefused.inc({ webhook, reason: 'SenderGone' });
      return;
    }
    const status = error instanceof RequestRefused ? error.status : error instanceof MalformedReview ? 400 : 500;
    const message = error instanceof Error ? error.message : String(error);
    metrics.admissionRefused.inc({ webhook, reason: `Http${status}` });
    if (status === 500) log.error({ webhook, error }, 'request failed');
    else log.info({ webhook, status, message }, 'request refused');
    if (response.headersSent) return;
    if (status === 503) response.setHeader('retry-after', RETRY_SECONDS);
    const text = `${message}\n`;
    if (request.complete) this.#send(response, status, PLAIN, text);
    else answerWhileItSends(request, response, status, text);
  }

  #send(response: ServerResponse, status: number, type: string, body: string): void {
    if (this.#draining) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  }
}

/**
 * Answers before the whole request has come. Closing a connection with unread data on it resets it, and the answer is lost with it:
 * the rest is read and thrown away until the sender is done or its time is over.
 */
function answerWhileItSends(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': PLAIN,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.write(text);
  request.removeAllListeners('data').resume();
  const timer = setTimeout(() => response.end(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => response.end());
}
