import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger, Metrics } from '@sidestep/observability';
import { refusalOf } from '../admission/answers.js';
import { convertReview } from '../admission/convert.js';
import { type MutatePodOptions, mutatePod } from '../admission/mutate-pod.js';
import { mutateSidecarSet } from '../admission/mutate-sidecarset.js';
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  MalformedReview,
  parseAdmissionReview,
  renderAnswer,
} from '../admission/review.js';
import { validateSidecarSet } from '../admission/validate-sidecarset.js';
import type { ClusterView } from '../cluster/cluster-view.js';
import { checkHeaders, RequestRefused, readBody, SenderGone } from './read-body.js';

const MIB = 1024 * 1024;

/** An API server takes objects of up to 3 MiB and sends the old one along. */
const LARGEST_REVIEW = 8 * MIB;
/** Conversion gets whole lists at once. */
const LARGEST_CONVERSION = 64 * MIB;

export interface EndpointsOptions {
  view: ClusterView;
  metrics: Metrics;
  log: Logger;
  /** Requests being read or answered at once; further ones get 503. */
  maxInFlight: number;
  now: () => Date;
}

interface Answer {
  body: string;
  result: 'allowed' | 'patched' | 'refused' | 'converted' | 'failed';
}

export type Webhook = 'mutate-pod' | 'mutate-sidecarset' | 'validate-sidecarset' | 'convert';

/** Answers the four webhooks. Whatever comes in, an answer goes out: nothing here rejects. */
export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #podOptions: MutatePodOptions;
  #inFlight = 0;
  #draining = false;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    const onInjected = (sets: readonly string[]) => {
      for (const sidecarset of sets) options.metrics.injectedPods.inc({ sidecarset });
    };
    this.#podOptions = { view: options.view, now: options.now, onInjected };
  }

  /** From now on every answer asks its sender to come back over another connection, that is to another process. */
  drain(): void {
    this.#draining = true;
  }

  async handle(webhook: Webhook, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight += 1;
    this.#options.metrics.admissionInFlight.set(this.#inFlight);
    try {
      const body = await this.#body(webhook, request);
      const startedAt = performance.now();
      const { body: answer, result } = await this.#answer(webhook, body);
      this.#send(response, 200, 'application/json', answer);
      this.#options.metrics.admissionSeconds.observe({ webhook, result }, (performance.now() - startedAt) / 1000);
    } catch (error) {
      this.#refuse(webhook, request, response, error);
    } finally {
      this.#inFlight -= 1;
      this.#options.metrics.admissionInFlight.set(this.#inFlight);
    }
  }

  #body(webhook: Webhook, request: IncomingMessage): Promise<string> {
    const limit = webhook === 'convert' ? LARGEST_CONVERSION : LARGEST_REVIEW;
    checkHeaders(request, limit);
    if (this.#inFlight > this.#options.maxInFlight) throw new RequestRefused(503, 'too many reviews at once');
    // Conversion needs nothing from memory, and the first list of SidecarSets may need conversion.
    const missing = webhook === 'convert' ? [] : this.#options.view.missing();
    if (missing.length > 0) throw new RequestRefused(503, `not listed yet: ${missing.join(', ')}`);
    return readBody(request, limit);
  }

  async #answer(webhook: Webhook, body: string): Promise<Answer> {
    if (webhook === 'convert') {
      const { body: converted, succeeded } = convertReview(body);
      return { body: converted, result: succeeded ? 'converted' : 'failed' };
    }
    const review = parseAdmissionReview(body);
    const answer = await this.#decide(webhook, review.request);
    return { body: renderAnswer(review, review.request.uid, answer), result: resultOf(answer) };
  }

  async #decide(webhook: Exclude<Webhook, 'convert'>, request: AdmissionRequest): Promise<AdmissionAnswer> {
    try {
      const answer = await this.#byRule(webhook, request);
      if (!answer.allowed) this.#noteRefusal(webhook, request, answer);
      return answer;
    } catch (error) {
      const answer = refusalOf(error);
      this.#noteRefusal(webhook, request, answer, error);
      return answer;
    }
  }

  #byRule(webhook: Exclude<Webhook, 'convert'>, request: AdmissionRequest): AdmissionAnswer | Promise<AdmissionAnswer> {
    switch (webhook) {
      case 'mutate-pod':
        return mutatePod(request, this.#podOptions);
      case 'mutate-sidecarset':
        return mutateSidecarSet(request);
      case 'validate-sidecarset':
        return validateSidecarSet(request, this.#options.view);
    }
  }

  #noteRefusal(webhook: Webhook, request: AdmissionRequest, answer: AdmissionAnswer, error?: unknown): void {
    if (answer.allowed) return;
    const { reason, message, code } = answer;
    const { namespace, name, uid } = request;
    this.#options.metrics.admissionRefused.inc({ webhook, reason });
    const keys = { webhook, namespace, name, uid, reason, message };
    if (code === 500) this.#options.log.error({ ...keys, error }, 'review failed');
    else this.#options.log.info(keys, 'review refused');
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
    // What was not read stays on the connection, so that cannot be used again.
    if (!request.complete) response.setHeader('connection', 'close');
    this.#send(response, status, 'text/plain; charset=utf-8', `${message}\n`);
  }

  #send(response: ServerResponse, status: number, type: string, body: string): void {
    if (this.#draining) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  }
}

function resultOf(answer: AdmissionAnswer): Answer['result'] {
  if (!answer.allowed) return 'refused';
  return answer.patch?.length ? 'patched' : 'allowed';
}
