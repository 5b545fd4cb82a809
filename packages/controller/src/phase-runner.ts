import {
  applyJsonPatch,
  decidePodUpgrade,
  type FullPod,
  findRecall,
  findUnpaid,
  type ManagedFieldsPolicy,
  type PodUpgradeDecision,
  type PodUpgradeInput,
  RECALL_MS,
} from '@sidestep/core';
import type { Clock, ClusterPort, EventPort, Freshness, JobOptions, PhaseJobKeys } from './ports.js';
import type { KnownTarget, TargetSource } from './target-source.js';

/**
 * What one run of a job came to. `wrote`: the phase's write was made. `overtaken`: something else is due, or nothing, or the pod
 * must be picked anew.
 * `waiting`: the pod is not ready for the phase yet. `gone`: the pod, or what it was to become, does not exist any more.
 */
export type PhaseResult = 'wrote' | 'overtaken' | 'waiting' | 'gone';

/** In the queue's own terms, so that it can be handed on as it is. */
export type PhaseRunOutcome = { result: PhaseResult; reason: string; message: string } & (
  | { kind: 'done'; next?: PhaseJobKeys; nextOptions?: JobOptions }
  | { kind: 'not-yet'; afterMs: number }
);

export interface PhaseRunnerParts {
  cluster: Pick<ClusterPort, 'readPod' | 'patchPod' | 'patchPodStatus'>;
  targets: Pick<TargetSource, 'target'>;
  events: EventPort;
  clock: Clock;
  managedFields?: ManagedFieldsPolicy;
}

/** Decisions on one pod that lost the race to another writer, before the job gives its place up. */
const CONFLICTS = 5;
/** The planner's watch brings a waiting job forward; this is for a time without a planner. */
const LOOK_AGAIN_MS = 60_000;
const RETRY_CONFLICT_MS = 500;
const NEXT_PRIORITY = 1;

type Step = { kind: 'end'; outcome: PhaseRunOutcome } | { kind: 'look-again' };

/**
 * Runs one phase of one pod: read it, ask what is due, make that one write, locked to what was read. Running a job twice, late
 * or next to another worker changes nothing: it is dropped as soon as something else is due.
 *
 * The first look may be at a pod as the API server remembers it. Then only a write is believed, because the API server refuses it
 * when the pod has moved on; before a job is dropped or put off the pod is read as it is stored.
 */
export class PhaseRunner {
  constructor(private readonly parts: PhaseRunnerParts) {}

  async run(job: PhaseJobKeys, signal: AbortSignal): Promise<PhaseRunOutcome> {
    for (let looks = 0; looks <= CONFLICTS; looks += 1) {
      signal.throwIfAborted();
      const step = await this.step(job, looks === 0 ? 'recent' : 'newest');
      if (step.kind === 'end') return step.outcome;
    }
    return {
      kind: 'not-yet',
      afterMs: RETRY_CONFLICT_MS,
      result: 'waiting',
      reason: 'Conflict',
      message: 'other writers were faster',
    };
  }

  private async step(job: PhaseJobKeys, freshness: Freshness): Promise<Step> {
    const [pod, known] = await Promise.all([
      this.parts.cluster.readPod({ namespace: job.namespace, name: job.pod }, freshness),
      this.parts.targets.target(job),
    ]);
    const { clock, managedFields = 'keep' } = this.parts;
    const verdict = judge(job, pod, known, { now: clock.now(), managedFields });
    if (verdict.kind === 'write') return this.write(job, verdict);
    if (freshness === 'recent' && verdict.reads === 'pod') return { kind: 'look-again' };
    if (verdict.tell !== undefined) this.tell(verdict.tell.pod, verdict.tell.decision);
    return { kind: 'end', outcome: verdict.outcome };
  }

  private async write(job: PhaseJobKeys, { known, pod, decision }: DueWrite): Promise<Step> {
    const ref = { namespace: job.namespace, name: job.pod };
    const sendBy = decision.due === 'upgrade' ? new Date(known.readAt.getTime() + RECALL_MS) : undefined;
    const written = await this.parts.cluster.patchPod(pod, decision.patch ?? [], sendBy);
    if (written.kind === 'conflict') return { kind: 'look-again' };
    if (written.kind === 'gone')
      return { kind: 'end', outcome: gone('PodGone', 'the pod was deleted before the write') };
    if (written.kind === 'refused') return { kind: 'end', outcome: this.refused(pod, known, written.message) };
    if (decision.statusPatch !== undefined) await this.parts.cluster.patchPodStatus(ref, job.uid, decision.statusPatch);
    this.tell(pod, decision);
    const now = this.parts.clock.now();
    const patched = { ...applyJsonPatch(pod, decision.patch ?? []), metadata: written.object.metadata };
    const after = decidePodUpgrade({ target: known.target, pod: patched, now });
    return {
      kind: 'end',
      outcome: { ...followUp(job, after, now), result: 'wrote', reason: decision.reason, message: decision.message },
    };
  }

  /** Told on the pod and on its SidecarSet, because only a worker knows: in the pod nothing shows that anything was tried. */
  private refused(pod: FullPod, { stored }: KnownTarget, why: string): PhaseRunOutcome {
    const reason = 'WriteRefused';
    const message = `the API server refuses the write: ${why}`;
    const event = { type: 'Warning', reason: 'SidecarUpgradeFailed' } as const;
    this.parts.events.onPod(pod, { ...event, message: `${reason}: ${message}` });
    const { namespace, name } = pod.metadata;
    this.parts.events.onSidecarSet(stored, { ...event, message: `${reason}: pod ${namespace}/${name}: ${message}` });
    return { kind: 'not-yet', afterMs: LOOK_AGAIN_MS, result: 'waiting', reason, message };
  }

  private tell(pod: FullPod, { events, container }: PodUpgradeDecision): void {
    for (const event of events) this.parts.events.onPod(pod, container === undefined ? event : { ...event, container });
  }
}

interface DueWrite {
  kind: 'write';
  known: KnownTarget;
  pod: FullPod;
  decision: PodUpgradeDecision;
}

type Verdict =
  | DueWrite
  | {
      kind: 'end';
      /** What it follows from: a look at an old version of the pod may be wrong about the pod only. */
      reads: 'pod' | 'sidecarset';
      outcome: PhaseRunOutcome;
      tell?: { pod: FullPod; decision: PodUpgradeDecision };
    };

const judge = (
  job: PhaseJobKeys,
  pod: FullPod | undefined,
  known: KnownTarget | undefined,
  circumstances: Pick<PodUpgradeInput, 'now' | 'managedFields'>,
): Verdict => {
  if (known === undefined) return dropped('Superseded', 'the SidecarSet does not exist any more');
  const { target, stored, epoch } = known;
  if (target.hash !== job.revision) return dropped('Superseded', 'the SidecarSet does not want this revision any more');
  if (isOfFormerPlanner(job, epoch)) return dropped('Superseded', 'the planner that picked the pod leads no more');
  if (pod === undefined || pod.metadata.uid !== job.uid) {
    return { kind: 'end', reads: 'pod', outcome: gone('PodGone', 'the pod does not exist any more') };
  }
  const decision = decidePodUpgrade({ target, pod, ...circumstances });
  const recall = decision.due === 'upgrade' ? findRecall(stored, job.generation) : undefined;
  if (recall !== undefined) return dropped(recall.reason, recall.message);
  if (!isAskedFor(job.phase, decision.due) || decision.attempt !== job.attempt || decision.revision !== job.revision)
    return { kind: 'end', reads: 'pod', outcome: overtaken(job, decision, circumstances.now) };
  if (decision.patch === undefined)
    return { kind: 'end', reads: 'pod', outcome: notYet(decision), tell: { pod, decision } };
  const unpaid = decision.due === 'upgrade' ? findUnpaid(target, pod, job.pickedUnready) : undefined;
  if (unpaid !== undefined)
    return { kind: 'end', reads: 'pod', outcome: { kind: 'done', result: 'overtaken', ...unpaid } };
  return { kind: 'write', known, pod, decision };
};

const dropped = (reason: string, message: string): Verdict => ({
  kind: 'end',
  reads: 'sidecarset',
  outcome: gone(reason, message),
});

/** Whoever looks whether a migration is over goes on with the reset at once, instead of asking for another look. */
const isAskedFor = (asked: PhaseJobKeys['phase'], due: PodUpgradeDecision['due']): boolean =>
  due === asked || (asked === 'migration' && due === 'reset');

/**
 * A new planner does not know what its predecessor picked and may pick other pods, so begin jobs of the old one would exceed
 * the budget together with its own. What it picks again it also asks for again, under its own epoch.
 */
const isOfFormerPlanner = ({ phase, epoch }: PhaseJobKeys, current: number | undefined): boolean =>
  phase === 'upgrade' && epoch !== undefined && current !== undefined && epoch < current;

const gone = (reason: string, message: string): PhaseRunOutcome => ({ kind: 'done', result: 'gone', reason, message });

const notYet = (decision: PodUpgradeDecision): PhaseRunOutcome => ({
  kind: 'not-yet',
  afterMs: Math.min(decision.retryAfterMs ?? LOOK_AGAIN_MS, LOOK_AGAIN_MS),
  result: 'waiting',
  reason: decision.reason,
  message: decision.message,
});

/** The job is dropped, and what is due instead is enqueued: whoever made the last write may have died before doing so. */
const overtaken = (job: PhaseJobKeys, decision: PodUpgradeDecision, now: Date): PhaseRunOutcome => ({
  ...followUp(job, decision, now),
  result: 'overtaken',
  reason: decision.reason,
  message: decision.message,
});

/** Beginning a pod is the planner's to ask for, because only it knows the budget. */
const followUp = (
  job: PhaseJobKeys,
  decision: PodUpgradeDecision,
  now: Date,
): { kind: 'done'; next?: PhaseJobKeys; nextOptions?: JobOptions } => {
  if (decision.due === 'none' || decision.due === 'upgrade') return { kind: 'done' };
  const { pickedUnready: _, ...keys } = job;
  const next = {
    ...keys,
    phase: decision.due,
    attempt: decision.attempt,
    revision: decision.revision,
    askedAt: now.getTime(),
  };
  const waits = decision.patch === undefined;
  const nextOptions = {
    priority: NEXT_PRIORITY,
    ...(waits ? { delayMs: Math.min(decision.retryAfterMs ?? LOOK_AGAIN_MS, LOOK_AGAIN_MS) } : {}),
  };
  return { kind: 'done', next, nextOptions };
};
