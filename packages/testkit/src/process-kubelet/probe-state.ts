import type { Probe, ProbeKind } from './pod-spec.js';

/** What a probe has found so far. `unknown` only before a startup probe's first verdict. */
export type ProbeResult = 'success' | 'failure' | 'unknown';

/** What counts before the first verdict: a container without one is not ready, but alive (Kubernetes' own defaults). */
export const INITIAL_RESULT: Record<ProbeKind, ProbeResult> = {
  startup: 'unknown',
  readiness: 'failure',
  liveness: 'success',
};

/** Kubernetes' defaults (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe). */
export const probeTiming = (probe: Probe) => ({
  initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
  periodMs: (probe.periodSeconds ?? 10) * 1000,
  timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
  successThreshold: probe.successThreshold ?? 1,
  failureThreshold: probe.failureThreshold ?? 3,
});

/** Counts equal outcomes in a row; the result turns only at the probe's threshold. */
export class ProbeState {
  result: ProbeResult;
  readonly #probe: Probe;
  #last: boolean | undefined;
  #inARow = 0;

  constructor(kind: ProbeKind, probe: Probe) {
    this.#probe = probe;
    this.result = INITIAL_RESULT[kind];
  }

  /** Takes one outcome in; true when the result changed. */
  take(succeeded: boolean): boolean {
    this.#inARow = this.#last === succeeded ? this.#inARow + 1 : 1;
    this.#last = succeeded;
    const { successThreshold, failureThreshold } = probeTiming(this.#probe);
    if (this.#inARow < (succeeded ? successThreshold : failureThreshold)) return false;
    const result = succeeded ? 'success' : 'failure';
    const changed = result !== this.result;
    this.result = result;
    return changed;
  }
}
