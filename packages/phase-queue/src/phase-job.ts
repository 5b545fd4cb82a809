/** What a job of the queue is: keys of one step of one pod, and the id that makes asking twice asking once. */

/** The steps of a pod's upgrade that are worth a job. */
export const PHASES = ['upgrade', 'migration', 'reset', 'abort'] as const;

export type Phase = (typeof PHASES)[number];

/** Keys only: whoever runs the job reads the objects afresh. */
export interface PhaseJob {
  namespace: string;
  pod: string;
  uid: string;
  sidecarSet: string;
  /** The SidecarSet's hash that the job works towards. */
  revision: string;
  phase: Phase;
  attempt: number;
  /** `leaseTransitions` of the planner that asked for it: a fencing epoch for the logs, never a lock. */
  epoch?: number;
  /** `metadata.generation` of the SidecarSet when the pod was picked: an edit since then recalls a job that begins a pod. */
  generation?: number;
  /** Of a job that begins a pod: it may do so only while the pod is not ready. */
  pickedUnready?: true;
  /** Unix milliseconds at which it was asked for, to measure how long phases take to be done. */
  askedAt?: number;
  /** W3C trace context of whoever asked, so that one trace spans planner and workers. */
  traceparent?: string;
}

/**
 * Migration only waits for what reset then does, so they are one job: the look that a worker leaves for later becomes the reset
 * that the planner asks for, instead of being left behind and costing a read of the pod a minute after it is done.
 */
const WORK_OF: Readonly<Record<Phase, string>> = {
  upgrade: 'upgrade',
  migration: 'finish',
  reset: 'finish',
  abort: 'abort',
};

/**
 * `<pod uid>.<sidecarset>.<revision>.<work>.<attempt>`: the same work always has the same id.
 * The parts never hold a ":", which BullMQ refuses in an id.
 */
export const phaseJobId = (job: PhaseJob): string =>
  [job.uid, job.sidecarSet, job.revision, WORK_OF[job.phase], job.attempt].join('.');

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && !value.includes(':');

/**
 * Reads a job back from the queue's store. Returns undefined for anything that is not a job, so that a foreign or
 * damaged entry is dropped instead of ending the worker; unknown fields are ignored.
 */
export const parsePhaseJob = (data: unknown): PhaseJob | undefined => {
  if (typeof data !== 'object' || data === null) return undefined;
  const { namespace, pod, uid, sidecarSet, revision, phase, attempt, ...more } = data as Record<string, unknown>;
  const { epoch, generation, pickedUnready, askedAt, traceparent } = more;
  if (!isText(namespace) || !isText(pod) || !isText(uid) || !isText(sidecarSet) || !isText(revision)) return undefined;
  if (!PHASES.includes(phase as Phase) || !Number.isSafeInteger(attempt)) return undefined;
  return {
    namespace,
    pod,
    uid,
    sidecarSet,
    revision,
    phase: phase as Phase,
    attempt: attempt as number,
    ...(typeof epoch === 'number' ? { epoch } : {}),
    ...(typeof generation === 'number' ? { generation } : {}),
    ...(pickedUnready === true ? { pickedUnready } : {}),
    ...(typeof askedAt === 'number' ? { askedAt } : {}),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
};
