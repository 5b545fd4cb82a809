import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pod, SidecarSet } from '@sidestep/core';
import { until } from '../platform/service.js';
import type { Load } from '../world/load.js';
import { podRow } from '../world/pod-row.js';
import {
  catalogueOf,
  DEMO_SET,
  image,
  NAMESPACE,
  podOf,
  programsOf,
  SET_NAME,
  sidecarSetOf,
} from '../world/scenario.js';
import { World } from '../world/world.js';
import { type Fault, faultOf } from './faults.js';
import { type DemoOptions, NEEDS_REDIS } from './options.js';
import { svgOf } from './picture.js';
import { Screen } from './screen.js';
import { handoversIn, type Summary, summaryLines, summaryOf } from './summary.js';
import type { DemoView, PodRow } from './view.js';

const NODE = 'demo-node';
const ROLLOUT_DEADLINE_MS = 300_000;

// Programs that were just started are many times slower than warm ones; a rollout is not to be blamed for that.
const RAMP_MS = 2_000;
const WARM_P99_MS = 30;
const WARM_FOR_MS = 2_000;
const WARM_AT_THE_LATEST_MS = 15_000;

/** Everything that one demo run holds. */
interface Stage {
  options: DemoOptions;
  world: World;
  load: Load;
  screen: Screen;
  notes: string[];
  startedAt: number;
  phaseSeen: Map<string, Set<string>>;
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

const viewOf = (stage: Stage): DemoView => {
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

const everyPodRuns = (stage: Stage, version: string): true | undefined => {
  const view = viewOf(stage);
  stage.screen.draw(view);
  return view.pods.every((pod) => pod.version === version && pod.state === 'idle') ? true : undefined;
};

const abortedPods = (stage: Stage): string[] =>
  stage.world
    .podsOf(NAMESPACE)
    .filter((pod) => /"phase":"(Failed|Aborted)"/.test(pod.metadata.annotations?.['sidestep.dev/upgrade'] ?? ''))
    .map((pod) => pod.metadata.name!);

/** True once at least one pod was aborted, none is half done, and the set says that it stopped. */
const rolloutStopped = (stage: Stage): true | undefined => {
  const view = viewOf(stage);
  stage.screen.draw(view);
  const degraded = stage.world.set(SET_NAME).status?.conditions?.find(({ type }) => type === 'Degraded');
  const settled = view.pods.every((pod) => pod.state === 'idle' && pod.version === 'v1');
  return settled && abortedPods(stage).length > 0 && degraded?.status === 'True' ? true : undefined;
};

const injectOnceBegun = async (stage: Stage, fault: Fault): Promise<void> => {
  await until(
    () => (viewOf(stage).pods.some((pod) => pod.state === 'upgrading') ? true : undefined),
    'the first pod to be begun',
    30_000,
  );
  await fault.inject?.(stage.world.platform);
};

const rollOut = async (stage: Stage, fault: Fault | undefined): Promise<{ target: string; aborted: number }> => {
  const first = fault?.image ?? 'v2';
  if (fault) stage.notes.push(`fault: ${stage.options.fail} — promised: ${fault.promise}`);
  await stage.world.setImage(SET_NAME, image(first));
  if (fault?.inject) await injectOnceBegun(stage, fault);
  if (!fault?.aborts) {
    await until(() => everyPodRuns(stage, first), `every pod to run ${first}`, ROLLOUT_DEADLINE_MS);
    return { target: first, aborted: 0 };
  }
  await until(() => rolloutStopped(stage), 'the rollout to abort its pods and stop', ROLLOUT_DEADLINE_MS);
  const aborted = abortedPods(stage).length;
  stage.notes.push(`kept: ${aborted} aborted, every pod still served by v1; now a good image`);
  await stage.world.setImage(SET_NAME, image('v3'));
  await until(() => everyPodRuns(stage, 'v3'), 'every pod to run v3', ROLLOUT_DEADLINE_MS);
  return { target: 'v3', aborted };
};

const steady = (ms: number, stage: Stage): Promise<void> =>
  new Promise((resolve) => {
    const timer = setInterval(() => stage.screen.draw(viewOf(stage)), 100);
    setTimeout(() => {
      clearInterval(timer);
      resolve();
    }, ms);
  });

/** Resolves when the answers have been quick for a while, or when they do not become so on this machine. */
const warmedUp = async (stage: Stage): Promise<void> => {
  const latest = Date.now() + WARM_AT_THE_LATEST_MS;
  let since = Date.now();
  while (Date.now() - since < WARM_FOR_MS && Date.now() < latest) {
    await steady(100, stage);
    if (stage.load.row().p99Ms > WARM_P99_MS) since = Date.now();
  }
};

const startWorld = (root: string, stateDir: string, options: DemoOptions, screen: Screen): Promise<World> => {
  const needsRedis = options.fail !== undefined && NEEDS_REDIS.has(options.fail);
  return World.start(
    {
      root,
      stateDir,
      workers: options.workers,
      queue: options.queue,
      needsRedis,
      ownRedis: needsRedis,
      images: catalogueOf(programsOf(root)),
      node: NODE,
    },
    (what) => screen.say(`starting ${what}`),
  );
};

const openStage = async (world: World, options: DemoOptions, screen: Screen): Promise<Stage> => {
  await world.createNamespace(NAMESPACE);
  await world.createSet(sidecarSetOf({ ...DEMO_SET, maxUnavailable: options.maxUnavailable }));
  screen.say(`creating ${options.pods} pods`);
  await world.createPods(
    Array.from({ length: options.pods }, (_, index) => podOf(`shop-${index + 1}`, NAMESPACE, DEMO_SET.app, NODE)),
  );
  const load = await world.startLoad(NAMESPACE, options.rate, { rampMs: RAMP_MS });
  return { options, world, load, screen, notes: [], startedAt: Date.now(), phaseSeen: new Map(), rows: new Map() };
};

const howToLook = (stage: Stage): string[] => [
  'Still running; Ctrl-C ends it. Look around:',
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} get sidecarsets`,
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} -n ${NAMESPACE} get pods -o wide`,
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} patch sidecarset ${SET_NAME} --type=json -p '[{"op":"replace","path":"/spec/containers/0/image","value":"${image('v3')}"}]'`,
  ...[...stage.world.platform.services.values()]
    .filter((service) => service.spec.readyUrl)
    .map((service) => `  curl ${service.spec.readyUrl!.replace('/readyz', '/metrics')}   # ${service.spec.name}`),
  `  logs: ${stage.world.platform.options.stateDir}/logs`,
];

/** Ctrl-C, or somebody who asks this process to end. */
const interruption = (): Promise<'interrupted'> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('interrupted'));
  });

const perform = async (stage: Stage): Promise<Summary> => {
  const { options, world, screen } = stage;
  await steady(RAMP_MS, stage);
  if (!options.quick) await warmedUp(stage);
  stage.load.mark();
  const begun = Date.now();
  stage.startedAt = begun;
  const { target, aborted } = await rollOut(stage, options.fail ? faultOf[options.fail] : undefined);
  const rolloutMs = Date.now() - begun;
  await steady(options.quick ? 1_000 : 2_000, stage);
  screen.draw(viewOf(stage), true);
  const load = await stage.load.stop(world.platform.kubeletLog.deaths());
  return summaryOf({
    pods: world.podsOf(NAMESPACE),
    target,
    aborted,
    load,
    rolloutMs,
    handovers: handoversIn(path.join(world.platform.options.stateDir, 'kubelet')),
    phases: stage.phaseSeen,
  });
};

/** What a run leaves behind once it is over. */
interface Remains {
  world?: World;
  keepLogs: boolean;
}

const play = async (
  root: string,
  stateDir: string,
  options: DemoOptions,
  screen: Screen,
  remains: Remains,
  interrupted: Promise<unknown>,
): Promise<number> => {
  const world = await startWorld(root, stateDir, options, screen);
  remains.world = world;
  const stage = await openStage(world, options, screen);
  const summary = await perform(stage);
  remains.keepLogs = !summary.ok;
  if (options.record) {
    writeFileSync(options.record, svgOf([...screen.frames, { atMs: 0, lines: summaryLines(summary) }]));
  }
  screen.keep();
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else for (const line of summaryLines(summary)) screen.say(line);
  if (options.keep) {
    for (const line of howToLook(stage)) screen.say(line);
    await interrupted;
  }
  return summary.ok ? 0 : 1;
};

const INTERRUPTED = 130;

/** Runs the demo; resolves with the exit code. Whatever ends it, its processes and its folder go with it (failed runs keep the logs). */
export const runDemo = async (root: string, options: DemoOptions): Promise<number> => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'sidestep-demo-'));
  const screen = new Screen(process.stdout, options.json);
  const remains: Remains = { keepLogs: true };
  const interrupted = interruption();
  try {
    const end = await Promise.race([play(root, stateDir, options, screen, remains, interrupted), interrupted]);
    if (end !== 'interrupted') return end;
    remains.keepLogs = false;
    screen.keep();
    screen.say('interrupted; stopping');
    return INTERRUPTED;
  } catch (error) {
    screen.keep();
    screen.say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await remains.world?.stop();
    if (remains.keepLogs || process.env.SIDESTEP_KEEP_LOGS) screen.say(`logs are kept in ${stateDir}`);
    else rmSync(stateDir, { recursive: true, force: true });
  }
};
