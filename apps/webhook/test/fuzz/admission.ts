import { createLogger, createMetrics } from '@sidestep/observability';
import { MalformedReview } from '../../src/admission/review.js';
import { Reviews, type Webhook } from '../../src/admission/reviews.js';
import { memoryView } from '../memory-view.js';
import { sidecarSet } from '../reviews.js';
import { INJECTED_SET } from './samples.js';

/** The admission handlers of a webhook that knows these SidecarSets. */
export function reviewsWith(sidecarSets: readonly unknown[]): Reviews {
  return new Reviews({
    view: memoryView({ sidecarSets: [...sidecarSets] }),
    metrics: METRICS,
    log: SILENT,
    now: () => new Date(0),
  });
}

/** The answer, or undefined for what is refused as no review. */
export async function answerOf(reviews: Reviews, webhook: Webhook, body: string): Promise<string | undefined> {
  try {
    return (await reviews.answer(webhook, body)).body;
  } catch (error) {
    if (error instanceof MalformedReview) return undefined;
    throw error;
  }
}

/** One hot and one plain sidecar. */
export const STORED_SETS: readonly unknown[] = [
  INJECTED_SET,
  sidecarSet({ containers: [{ name: 'plain', image: 'p:1' }] }, 'plain'),
];

const METRICS = createMetrics({ processMetrics: false });
const SILENT = createLogger({ name: 'fuzz', level: 'silent' });
