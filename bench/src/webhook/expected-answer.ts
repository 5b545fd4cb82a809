import { isDeepStrictEqual } from 'node:util';
import { applyJsonPatch, type JsonPatch, type Pod } from '@sidestep/core';

/** What a pod shall be after admission. */
export interface Expectation {
  uid: string;
  before: Pod;
  /** Missing where another product answers: of that only a patch is expected. */
  after?: Pod;
}

interface Review {
  response: { uid: string; allowed: boolean; patchType?: string; patch?: string };
}

/**
 * Compares answers with what the pod shall be. Only those that differ from the last right one are decoded: in one second that is
 * one, because of the time in them.
 */
export class AnswerCheck {
  readonly #expectation: Expectation;
  readonly #after: unknown;
  #right: Buffer = Buffer.alloc(0);

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
    this.#after = expectation.after && withoutTimes(expectation.after);
  }

  isRight(answer: Buffer): boolean {
    if (answer.equals(this.#right)) return true;
    if (!this.#isRight(answer)) return false;
    this.#right = answer;
    return true;
  }

  #isRight(answer: Buffer): boolean {
    try {
      const { uid, allowed, patchType, patch } = (JSON.parse(answer.toString('utf8')) as Review).response;
      if (uid !== this.#expectation.uid || !allowed || (patch !== undefined && patchType !== 'JSONPatch')) return false;
      const operations = JSON.parse(Buffer.from(patch ?? 'W10=', 'base64').toString('utf8')) as JsonPatch;
      if (this.#after === undefined) return operations.length > 0;
      return isDeepStrictEqual(withoutTimes(applyJsonPatch(this.#expectation.before, operations)), this.#after);
    } catch {
      return false;
    }
  }
}

/** The only thing in an injected pod that depends on when it was injected. */
const withoutTimes = (pod: Pod): unknown =>
  JSON.parse(JSON.stringify(pod).replaceAll(/(updateTimestamp\\":\\")[^"\\]*/g, '$1'));
