import { failureEvent } from '../pod-upgrade/pod-events.js';
import type { PodBook } from './pod-book.js';
import type { PodEventWrite, PodSummary } from './types.js';

/** The failures of one attempt of a pod that were told. */
interface Told {
  attempt: string;
  failures: Set<string>;
}

/**
 * Tells of a failed pod once, and again when it fails otherwise or another time. Only of pods that no phase is due on: of the others a
 * worker tells, who looks at them anyway.
 */
export class FailureNews {
  /** By the key of the pod; only pods that there are. */
  private readonly told = new Map<string, Told>();

  /**
   * The news among the pods that changed.
   *
   * @param revision hash of the revision that is rolled out
   */
  collect(book: PodBook, changed: Iterable<string>, revision: string): PodEventWrite[] {
    const news: PodEventWrite[] = [];
    for (const key of changed) {
      const summary = book.get(key);
      // One that is well is not forgotten: in a crash loop a container runs between two failures.
      if (summary === undefined) this.told.delete(key);
      else if (isSilentFailure(summary) && this.isNew(summary, revision)) news.push(writeOf(summary));
    }
    return news;
  }

  /** Notes it as told. The kubelet words a failure anew with every attempt, so the message does not tell two apart. */
  private isNew({ key, uid, attempt, reason, container = '' }: PodSummary, revision: string): boolean {
    const current = `${uid} ${revision} ${attempt}`;
    const failure = `${reason} ${container}`;
    const told = this.told.get(key);
    if (told?.attempt !== current) this.told.set(key, { attempt: current, failures: new Set([failure]) });
    else if (told.failures.has(failure)) return false;
    else told.failures.add(failure);
    return true;
  }
}

function writeOf(summary: PodSummary): PodEventWrite {
  const { namespace, name: pod, uid, container } = summary;
  const event = failureEvent(summary);
  return { namespace, pod, uid, event: container === undefined ? event : { ...event, container } };
}

const isSilentFailure = ({ state, due, failed }: PodSummary): boolean => state === 'Failed' && due === 'none' && failed;
