/**
 * The kubelet's crash-loop back-off (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts), with
 * the rule that surprises: it is kept per container and image string, and counts every start that follows a known exit, also
 * an exit that the kubelet caused itself by an in-place change.
 */

export interface CrashBackOffOptions {
  /** First delay. Kubernetes: 10,000. */
  baseMs: number;
  /** Longest delay. Kubernetes: 300,000. */
  maxMs: number;
  /** An entry unused for this long starts over. Kubernetes: 600,000. */
  forgetMs: number;
  /** After a failed step the next look is this long away, plus up to a half at random. Kubernetes: 10,000. */
  retryMs: number;
}

export const KUBERNETES_BACK_OFF: CrashBackOffOptions = {
  baseMs: 10_000,
  maxMs: 300_000,
  forgetMs: 600_000,
  retryMs: 10_000,
};

/** Turns the short forms into times; a factor scales all of them alike. */
export function backOffOptions(given: 'real' | 'none' | number | CrashBackOffOptions | undefined): CrashBackOffOptions {
  if (given === undefined || given === 'real') return KUBERNETES_BACK_OFF;
  if (given === 'none') return { baseMs: 0, maxMs: 0, forgetMs: 600_000, retryMs: 250 };
  if (typeof given !== 'number') return given;
  const { baseMs, maxMs, forgetMs, retryMs } = KUBERNETES_BACK_OFF;
  return { baseMs: baseMs * given, maxMs: maxMs * given, forgetMs: forgetMs * given, retryMs: retryMs * given };
}

interface Entry {
  delayMs: number;
  usedAtMs: number;
}

/** The back-off memory of one pod. Lives as long as the kubelet, not the container. */
export class CrashBackOff {
  readonly #options: CrashBackOffOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: CrashBackOffOptions) {
    this.#options = options;
  }

  /**
   * Asked before each start that follows an exit at `exitedAtMs`. 0: start now, which counts as a use of this image; else the
   * milliseconds for which the start is held.
   */
  holdOrCount(container: string, image: string, exitedAtMs: number, nowMs: number): number {
    const key = `${container}\n${image}`;
    const entry = this.#live(key, exitedAtMs);
    if (entry && nowMs - exitedAtMs < entry.delayMs) return entry.delayMs - (nowMs - exitedAtMs);
    const delayMs = entry ? Math.min(entry.delayMs * 2, this.#options.maxMs) : this.#options.baseMs;
    this.#entries.set(key, { delayMs, usedAtMs: nowMs });
    return 0;
  }

  /** The delay that a further start of this image meets, in milliseconds. */
  delayOf(container: string, image: string): number {
    return this.#entries.get(`${container}\n${image}`)?.delayMs ?? 0;
  }

  /** Age is taken between the exit and the last use: a container that ran long enough before it died starts over. */
  #live(key: string, exitedAtMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry && exitedAtMs - entry.usedAtMs <= this.#options.forgetMs ? entry : undefined;
  }
}
