import { failureEvent } from '../pod-upgrade/pod-events.js';
import type { PodBook } from './pod-book.js';
import type { PodEventWrite, PodSummary } from './types.js';

/**
 * Tells of a failed pod once, and again when it fails otherwise or another time. Only of pods that no phase is due on: of the others a
 * worker tells, who looks at them anyway.
 */
export class FailureNews {
  /** What was told, by the key of the pod; only pods that are failed now. */
  private readonly told = new Map<string, string>();

  /** The news among the pods that changed. */
  collect(book: PodBook, changed: Iterable<string>): PodEventWrite[] {
    const news: PodEventWrite[] = [];
    for (const key of changed) {
      const summary = book.get(key);
      if (summary === undefined || !isSilentFailure(summary)) {
        this.told.delete(key);
        continue;
      }
      const { namespace, name: pod, uid, reason, container } = summary;
      // The kubelet words a failure anew with every attempt.
      const text = `${uid} ${reason} ${container ?? ''}`;
      if (this.told.get(key) === text) continue;
      this.told.set(key, text);
      const event = failureEvent(summary);
      news.push({ namespace, pod, uid, event: container === undefined ? event : { ...event, container } });
    }
    return news;
  }
}

const isSilentFailure = ({ state, due, failed }: PodSummary): boolean => state === 'Failed' && due === 'none' && failed;
