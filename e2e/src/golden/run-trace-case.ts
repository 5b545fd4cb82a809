import {
  applyJsonPatch,
  decidePodUpgrade,
  decideRollout,
  KRUISE,
  type Pod,
  type PodUpgradeDecision,
  type RolloutDecision,
  SIDESTEP,
  type SidecarSet,
  type UpgradePhase,
  upgradeTarget,
} from '@sidestep/core';
import type { Comparison } from './compare.js';
import type { TraceCase, TraceEntry } from './golden-case.js';
import type { Judgeable } from './judge.js';
import { withoutZero } from './normalise.js';
import { comparableAnnotations } from './on-purpose/upgrade-write.js';
import { TraceBeginnings } from './trace-beginnings.js';
import { controllerWrite, hashOf, TraceWorld } from './trace-world.js';

/** Traces count from zero; any day will do for the clock. */
const START = Date.parse('2026-11-22T13:00:00Z');

/**
 * Replays a trace: at each step of OpenKruise's controller asks what we would do to the very same cluster, and pairs the two.
 * Compared are writes to pods, their conditions, Events, which pods the rollout picks, and the status in the end.
 */
export function runTraceCase(content: TraceCase): Judgeable[] {
  const replay = new TraceReplay(content);
  return [...content.trace.flatMap((entry) => replay.step(entry)), ...replay.end()];
}

interface RecordedEvent {
  reason: string;
  type: string;
  message: string;
  /** `Kind/name` of the object. */
  involved: string;
}

/** Sidestep tells of these, OpenKruise has nothing to say about them. */
const OWN_EVENTS = new Set(['SidecarUpgradeAborted', 'SidecarUpgradeFailed']);

function addTo(lists: Map<string, object[]>, key: string, element: object): void {
  lists.set(key, [...(lists.get(key) ?? []), element]);
}

class TraceReplay {
  private readonly world: TraceWorld;
  private readonly beginnings: TraceBeginnings;
  private readonly name: string;
  private readonly start: number;
  private now = new Date(START);
  /** The last decision about each pod, and what Sidestep noted on it. */
  private readonly decisions = new Map<string, PodUpgradeDecision>();
  private readonly notes = new Map<string, string>();
  /** What recorded Events say; a repeated one is recorded by its count alone. */
  private readonly events = new Map<string, RecordedEvent>();
  private readonly podEvents = new Map<string, object[]>();
  private readonly ourEvents = new Map<string, object[]>();

  constructor(content: TraceCase) {
    this.world = new TraceWorld(content);
    this.beginnings = new TraceBeginnings(content);
    this.name = content.sidecarSet.metadata.name ?? '';
    this.start = content.trace[0]?.t ?? 0;
  }

  step(entry: TraceEntry): Judgeable[] {
    this.now = new Date(START + entry.t - this.start);
    const rollout = this.rollout();
    const pods = this.world.apply(entry);
    if (entry.kind === 'event') return this.event(entry, rollout);
    if (entry.kind === 'sidecarset') return this.compared(this.beginnings.edit(entry, this.world.set));
    if (pods === undefined) return [];
    if (pods.before === undefined) return this.compared(this.beginnings.injection(entry, this.recordedSet()));
    const write = controllerWrite(entry);
    if (write === 'pod') return [this.write(entry, pods.before, pods.after, rollout)];
    return write === 'status' ? [this.condition(entry, pods.before, pods.after, rollout)] : [];
  }

  end(): Judgeable[] {
    const pods = [...this.world.pods].flatMap(([name, pod]) => [
      this.judgeable(`Events on ${name}`, this.podEvents.get(name) ?? [], this.ourEvents.get(name) ?? []),
      this.leftover(name, pod),
    ]);
    const status = this.rollout()?.status;
    if (status === undefined || this.world.set.status === undefined) return pods;
    const [expected, actual] = [this.world.set.status, status].map((each) => ({ status: withoutZero(each) }));
    return [...pods, this.judgeable('status in the end', expected, actual)];
  }

  /** OpenKruise was done when the recording ended; so should we be with what it left. */
  private leftover(name: string, before: Pod): Judgeable {
    const { due, reason } = this.decide(name, before);
    const rollout = this.rollout();
    const jobs =
      rollout?.jobs.filter(({ pod }) => pod === name).map(({ phase }) => phase) ?? (due === 'none' ? [] : [due]);
    const { comparison, facts } = this.judgeable(`what is left to do on ${name}`, { jobs: [] }, { jobs });
    return {
      comparison,
      facts: { ...facts, upgrade: { before, set: this.world.set, reason, picked: jobs.length > 0 } },
    };
  }

  private write(entry: TraceEntry, before: Pod, after: Pod, rollout: RolloutDecision | undefined): Judgeable {
    const name = entry.name ?? '';
    const { set } = this.world;
    const known = withNote(before, this.notes.get(name));
    const decision = this.decide(name, before);
    const ours = applyJsonPatch(known, decision.patch ?? []);
    const note = ours.metadata.annotations?.[SIDESTEP.upgrade];
    if (note !== undefined) this.notes.set(name, note);
    this.decisions.set(name, decision);
    for (const event of decision.events.filter(({ reason }) => !OWN_EVENTS.has(reason)))
      addTo(this.ourEvents, name, event);
    const picked = rollout?.jobs.some(({ pod, phase }) => pod === name && phase === decision.due) ?? true;
    const expected = { due: phaseOf(before, after, this.name), picked: true, ...written(after) };
    const actual = { due: decision.due, picked, ...written(ours) };
    const { comparison, facts } = this.judgeable(`write to ${name} at ${entry.t} ms`, expected, actual);
    return { comparison, facts: { ...facts, upgrade: { before, set, reason: decision.reason, picked } } };
  }

  private decide(name: string, pod: Pod): PodUpgradeDecision {
    const { set, revisions } = this.world;
    const known = withNote(pod, this.notes.get(name));
    return decidePodUpgrade({ target: upgradeTarget(set, revisions), pod: known, now: this.now });
  }

  private condition(entry: TraceEntry, before: Pod, after: Pod, rollout: RolloutDecision | undefined): Judgeable {
    const name = entry.name ?? '';
    const patch =
      rollout?.conditionWrites.find(({ pod }) => pod === name)?.statusPatch ?? this.decisions.get(name)?.statusPatch;
    const ours = patch?.status.conditions ?? before.status?.conditions;
    const subject = `condition of ${name} at ${entry.t} ms`;
    return this.judgeable(subject, upgradable(after.status?.conditions), upgradable(ours));
  }

  private event({ t, name = '', changed = {} }: TraceEntry, rollout: RolloutDecision | undefined): Judgeable[] {
    const known = this.events.get(name);
    const { reason, type, message, involved } = known ?? (changed as unknown as RecordedEvent);
    const event = { reason, type, message, involved };
    this.events.set(name, event);
    const [kind, object = ''] = involved.split('/');
    if (kind === 'Pod') addTo(this.podEvents, object, { reason, type, message });
    // An Event that OpenKruise repeats is counted; Sidestep tells the SidecarSet's user once.
    if (kind === 'Pod' || known !== undefined || rollout === undefined) return [];
    const alike = rollout.events.filter((each) => each.reason === reason);
    const actual = alike.find((each) => each.message === message) ?? alike[0];
    return [this.judgeable(`Event on the SidecarSet at ${t} ms`, { reason, type, message }, actual ?? null)];
  }

  private rollout(): RolloutDecision | undefined {
    const { revisions } = this.world;
    const set = this.recordedSet();
    if (set === undefined) return undefined;
    const latestRevision = set.status?.latestRevision ?? '';
    const pods = [...this.world.pods.values()].map((pod) => withNote(pod, this.notes.get(pod.metadata.name ?? '')));
    return decideRollout({ sidecarSet: set, revisions, latestRevision }, pods, this.now);
  }

  /** Undefined before the trace shows it for the first time. */
  private recordedSet(): SidecarSet | undefined {
    const { set, isSetRecorded } = this.world;
    return isSetRecorded && set.metadata.annotations?.[KRUISE.hash] !== undefined ? set : undefined;
  }

  private compared(comparisons: readonly Comparison[]): Judgeable[] {
    return comparisons.map(({ subject, expected, actual }) => this.judgeable(subject, expected, actual));
  }

  private judgeable(subject: string, expected: unknown, actual: unknown): Judgeable {
    const trace = { set: this.world.set, revisions: this.world.revisions };
    return { comparison: { subject, expected, actual }, facts: { writes: [], trace } };
  }
}

function withNote(pod: Pod, note: string | undefined): Pod {
  if (note === undefined) return pod;
  const annotations = { ...pod.metadata.annotations, [SIDESTEP.upgrade]: note };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** OpenKruise has no name for it: a write that changes the hash is an upgrade, any other empties the old container. */
function phaseOf(before: Pod, after: Pod, set: string): UpgradePhase {
  return hashOf(before, set, KRUISE.hash) === hashOf(after, set, KRUISE.hash) ? 'reset' : 'upgrade';
}

function written({ metadata, spec }: Pod): { annotations: Record<string, string>; containers: unknown } {
  return { annotations: comparableAnnotations(metadata.annotations), containers: spec.containers };
}

function upgradable(conditions: readonly object[] | undefined): unknown {
  const found = (
    conditions as { type: string; status?: string; reason?: string; message?: string }[] | undefined
  )?.find(({ type }) => type === KRUISE.upgradableCondition);
  return found ? { status: found.status, reason: found.reason, message: found.message } : null;
}
