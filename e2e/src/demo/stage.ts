import type { Pod, SidecarSet } from '@sidestep/core';
import type { Load } from '../world/load.js';
import { podRow } from '../world/pod-row.js';
import { image, NAMESPACE, SET_NAME } from '../world/scenario.js';
import type { World } from '../world/world.js';
import type { DemoOptions } from './options.js';
import type { Screen } from './screen.js';
import type { DemoView, PodRow } from './view.js';

/** Everything that one demo run holds. */
export interface Stage {
  options: DemoOptions;
  world: World;
  load: Load;
  screen: Screen;
  notes: string[];
  startedAt: number;
  phaseSeen: Map<string, Set<string>>;
  /** Planners and workers that ended by themselves and were started again. */
  restarts: number;
  rows: Map<string, { pod: Pod; set: SidecarSet; at: number; row: PodRow }>;
}

const ROW_LASTS_MS = 500;

/** Judged again when the pod or its set changed, and now and then for what time alone changes: looking must not cost the load its CPU. */
const rowOf = (stage: Stage, set: SidecarSet, pod: Pod): PodRow => {
  const name = pod.metadata.name ?? '';
  const known = stage.rows.get(name);
  const at = Date.now();
  if (known && known.pod === pod && known.set === set && at - known.at < ROW_LASTS_MS) return known.row;
  const row = podRow(set, pod, new Date(at));
  stage.rows.set(name, { pod, set, at, row });
  return row;
};

export const viewOf = (stage: Stage): DemoView => {
  const set = stage.world.set(SET_NAME);
  const pods = stage.world.podsOf(NAMESPACE).map((pod) => rowOf(stage, set, pod));
  for (const pod of pods) {
    const seen = stage.phaseSeen.get(pod.name) ?? new Set();
    stage.phaseSeen.set(pod.name, seen.add(pod.state));
  }
  const shown = set.status?.conditions?.find(({ type }) => type === 'Progressing');
  return {
    title: `${pods.length} pods, each an app behind a sidecar proxy, under load`,
    image: set.spec.containers?.[0]?.image ?? '',
    condition: shown ? `${shown.reason}: ${shown.message}` : '',
    pods,
    load: stage.load.row(),
    elapsedMs: Date.now() - stage.startedAt,
    notes: stage.notes,
  };
};

export const everyPodRuns = (stage: Stage, version: string): true | undefined => {
  const view = viewOf(stage);
  stage.screen.draw(view);
  return view.pods.every((pod) => pod.version === version && pod.state === 'idle') ? true : undefined;
};

export const abortedPods = (stage: Stage): string[] =>
  stage.world
    .podsOf(NAMESPACE)
    .filter((pod) => /"phase":"(Failed|Aborted)"/.test(pod.metadata.annotations?.['sidestep.dev/upgrade'] ?? ''))
    .map((pod) => pod.metadata.name!);

/** Why the rollout of a version goes no further by itself; undefined while it may. */
export const stopOf = (stage: Stage, version: string): string | undefined => {
  const { metadata, spec, status } = stage.world.set(SET_NAME);
  // What is said of the spec before says nothing of this one.
  const isOfThis = spec.containers?.[0]?.image === image(version) && status?.observedGeneration === metadata.generation;
  if (!isOfThis) return undefined;
  const condition = (wanted: string) => status?.conditions?.find(({ type }) => type === wanted);
  const paused = condition('Paused');
  if (paused?.status !== 'True' || !['TooManyFailures', 'NoGoodRevision'].includes(paused.reason)) return undefined;
  return [paused.reason, paused.message, condition('Degraded')?.message].filter(Boolean).join('; ');
};

/** True once at least one pod was aborted, none is half done, and the set says that it stopped. */
export const rolloutStopped = (stage: Stage): true | undefined => {
  const view = viewOf(stage);
  stage.screen.draw(view);
  const degraded = stage.world.set(SET_NAME).status?.conditions?.find(({ type }) => type === 'Degraded');
  const settled = view.pods.every((pod) => pod.state === 'idle' && pod.version === 'v1');
  return settled && abortedPods(stage).length > 0 && degraded?.status === 'True' ? true : undefined;
};

export const begunPods = ({ phaseSeen }: Stage): number =>
  [...phaseSeen.values()].filter((seen) => [...seen].some((state) => state !== 'idle' && state !== 'starting')).length;

// Programs that were just started are many times slower than warm ones; a rollout is not to be blamed for that.
export const RAMP_MS = 2_000;
const WARM_P99_MS = 30;
const WARM_FOR_MS = 2_000;
const WARM_AT_THE_LATEST_MS = 15_000;
const OVERLOADED_P99_MS = 1_500;
const OVERLOADED_FOR_MS = 3_000;
const LEAST_RATE = 50;

export const steady = (ms: number, stage: Stage): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => stage.screen.draw(viewOf(stage)), 100);
    setTimeout(() => {
      clearInterval(timer);
      resolve();
    }, ms);
  });

/**
 * Resolves when the answers have been quick for a while, or when they do not become so on this machine. A rate that the machine cannot
 * serve even without a rollout is halved: what an overloaded machine loses says nothing of an upgrade. Returns the rate.
 */
export const warmedUp = async (stage: Stage): Promise<number> => {
  let rate = stage.options.rate;
  let latest = Date.now() + WARM_AT_THE_LATEST_MS;
  let since = Date.now();
  let bearable = Date.now();
  while (Date.now() - since < WARM_FOR_MS && Date.now() < latest) {
    await steady(100, stage);
    const { p99Ms } = stage.load.row();
    if (p99Ms > WARM_P99_MS) since = Date.now();
    if (p99Ms <= OVERLOADED_P99_MS) bearable = Date.now();
    if (Date.now() - bearable < OVERLOADED_FOR_MS || rate <= LEAST_RATE) continue;
    rate = Math.max(LEAST_RATE, Math.round(rate / 2));
    stage.load.setRate(rate);
    stage.notes.push(`this machine cannot serve that many requests; going on with ${rate} a second`);
    bearable = Date.now();
    latest = Date.now() + WARM_AT_THE_LATEST_MS;
  }
  return rate;
};
