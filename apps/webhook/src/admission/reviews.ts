import type { Logger, Metrics } from '@sidestep/observability';
import type { ClusterView } from '../cluster/cluster-view.js';
import { refusalOf } from './answers.js';
import { convertReview } from './convert.js';
import { type MutatePodOptions, mutatePod } from './mutate-pod.js';
import { mutateSidecarSet } from './mutate-sidecarset.js';
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type AdmissionReview,
  parseAdmissionReview,
  renderAnswer,
} from './review.js';
import { validateSidecarSet } from './validate-sidecarset.js';

export type Webhook = 'mutate-pod' | 'mutate-sidecarset' | 'validate-sidecarset' | 'convert';

export interface ReviewsOptions {
  view: ClusterView;
  metrics: Metrics;
  log: Logger;
  now: () => Date;
}

/** The body of an answer, and its kind for the metric. */
export interface ReviewAnswer {
  body: string;
  result: 'allowed' | 'patched' | 'refused' | 'converted' | 'failed';
}

/** Answers reviews. Rejects with `MalformedReview` for what is none; every other fault is told in the review's own terms. */
export class Reviews {
  readonly #options: ReviewsOptions;
  readonly #podOptions: MutatePodOptions;

  constructor(options: ReviewsOptions) {
    this.#options = options;
    const onInjected = (sets: readonly string[]) => {
      for (const sidecarset of sets) options.metrics.injectedPods.inc({ sidecarset });
    };
    this.#podOptions = { view: options.view, now: options.now, onInjected };
  }

  async answer(webhook: Webhook, body: string): Promise<ReviewAnswer> {
    if (webhook === 'convert') {
      const { body: converted, succeeded } = convertReview(body);
      return { body: converted, result: succeeded ? 'converted' : 'failed' };
    }
    const review = parseAdmissionReview(body);
    return this.#rendered(webhook, review, await this.#decide(webhook, review.request));
  }

  /** What is deep enough passes every rule and cannot be printed. */
  #rendered(webhook: Exclude<Webhook, 'convert'>, review: AdmissionReview, answer: AdmissionAnswer): ReviewAnswer {
    const { uid } = review.request;
    try {
      return { body: renderAnswer(review, uid, answer), result: resultOf(answer) };
    } catch (error) {
      const refusal = refusalOf(error);
      this.#noteRefusal(webhook, review.request, refusal, error);
      return { body: renderAnswer(review, uid, refusal), result: 'refused' };
    }
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

  #noteRefusal(
    webhook: Webhook,
    { namespace, name, uid }: AdmissionRequest,
    { reason, message, code }: AdmissionAnswer & { allowed: false },
    error?: unknown,
  ): void {
    this.#options.metrics.admissionRefused.inc({ webhook, reason });
    const keys = { webhook, namespace, object: name, uid, reason, message };
    if (code === 500) this.#options.log.error({ ...keys, error }, 'review failed');
    else this.#options.log.info(keys, 'review refused');
  }
}

function resultOf(answer: AdmissionAnswer): ReviewAnswer['result'] {
  if (!answer.allowed) return 'refused';
  return answer.patch?.length ? 'patched' : 'allowed';
}
