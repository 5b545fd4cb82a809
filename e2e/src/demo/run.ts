import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeScratch } from '@sidestep/testkit';
import { replaceAllEnded } from '../platform/replace-ended.js';
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
import { faultOf } from './faults.js';
import { type DemoOptions, NEEDS_REDIS } from './options.js';
import { svgOf } from './picture.js';
import { rollOut } from './roll-out.js';
import { Screen } from './screen.js';
import { RAMP_MS, type Stage, steady, viewOf, warmedUp } from './stage.js';
import { handoversIn, type Summary, summaryLines, summaryOf } from './summary.js';

const NODE = 'demo-node';

const startWorld = (root: string, stateDir: string, options: DemoOptions, screen: Screen): Promise<World> => {
  const needsRedis = options.fail !== undefined && NEEDS_REDIS.has(options.fail);
  return World.start(
    {
      root,
      stateDir,
      workers: options.workers,
      // One to take over from the other.
      planners: options.fail === 'planner-killed' ? 2 : 1,
      queue: options.queue,
      needsRedis,
      ownRedis: needsRedis,
      keepsApiState: true,
      images: catalogueOf(programsOf(root)),
      node: NODE,
      // Long enough for a machine out of breath, where no fault waits for it to end.
      ...(options.fail === 'planner-killed' ? {} : { env: { SIDESTEP_LEASE_SECONDS: '15' } }),
      kubeletArgs: ['--starts-at-once', String(options.startsAtOnce)],
    },
    (what) => screen.say(`starting ${what}`),
  );
};

/** Of one container on a slow machine. */
const LONGEST_START_S = 2;

const openStage = async (world: World, options: DemoOptions, screen: Screen): Promise<Stage> => {
  await world.createNamespace(NAMESPACE);
  // A pod that was begun may wait for all others to start.
  const deadlineSeconds = 20 + LONGEST_START_S * options.pods;
  await world.createSet(sidecarSetOf({ ...DEMO_SET, maxUnavailable: options.maxUnavailable, deadlineSeconds }));
  screen.say(`creating ${options.pods} pods`);
  await world.createPods(
    Array.from({ length: options.pods }, (_, index) => podOf(`shop-${index + 1}`, NAMESPACE, DEMO_SET.app, NODE)),
    deadlineSeconds * 3_000,
  );
  const load = await world.startLoad(NAMESPACE, options.rate, { rampMs: RAMP_MS });
  return {
    options,
    world,
    load,
    screen,
    notes: [],
    startedAt: Date.now(),
    phaseSeen: new Map(),
    restarts: 0,
    rows: new Map(),
  };
};

const howToLook = (stage: Stage): string[] => [
  'Still running; Ctrl-C ends it. Look around:',
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} get sidecarsets`,
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} -n ${NAMESPACE} get pods -o wide`,
  `  kubectl --kubeconfig ${stage.world.platform.kubeconfig} patch sidecarset ${SET_NAME} --type=json -p '[{"op":"replace","path":"/spec/containers/0/image","value":"${image('v3')}"}]'`,
  ...[...stage.world.platform.services.values()]
    .filter((service) => service.spec.readyUrl && service.spec.name !== 'kube-sim')
    .map((service) => `  curl ${service.spec.readyUrl!.replace('/readyz', '/metrics')}   # ${service.spec.name}`),
  `  logs: ${stage.world.platform.options.stateDir}/logs`,
];

/** Ctrl-C, or somebody who asks this process to end. */
const interruption = (): Promise<'interrupted'> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('interrupted'));
  });

const LOOK_MS = 500;

/** Whatever somebody kills meanwhile is started again. */
const keptAlive = async ({ platform }: World, end: Promise<unknown>): Promise<void> => {
  const pause = (): Promise<'on'> => new Promise((resolve) => setTimeout(() => resolve('on'), LOOK_MS));
  while ((await Promise.race([end, pause()])) === 'on') await replaceAllEnded(platform).catch(() => undefined);
};

const perform = async (stage: Stage): Promise<Summary> => {
  const { options, world, screen } = stage;
  const fault = options.fail ? faultOf[options.fail] : undefined;
  await steady(RAMP_MS, stage);
  const rate = options.quick ? options.rate : await warmedUp(stage);
  stage.load.mark();
  const begun = Date.now();
  stage.startedAt = begun;
  const outcome = await rollOut(stage, fault);
  const rolloutMs = Date.now() - begun;
  await steady(options.quick ? 1_000 : 2_000, stage);
  screen.draw(viewOf(stage), true);
  const load = await stage.load.stop(world.platform.kubeletLog.deaths());
  return summaryOf({
    pods: world.podsOf(NAMESPACE),
    ...outcome,
    fault: options.fail ?? '',
    queue: world.platform.usedQueue,
    restarts: stage.restarts,
    rate,
    sidecarDies: fault?.sidecarDies === true,
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
  /** The verdict, once there is one. */
  code?: number;
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
  const opening = openStage(world, options, screen);
  // What somebody kills before there is a rollout costs nothing but time either.
  await keptAlive(
    world,
    opening.catch(() => undefined),
  );
  const stage = await opening;
  const summary = await perform(stage);
  remains.keepLogs = !summary.ok;
  remains.code = summary.ok ? 0 : 1;
  if (options.record) {
    writeFileSync(options.record, svgOf([...screen.frames, { atMs: 0, lines: summaryLines(summary) }]));
  }
  screen.keep();
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else for (const line of summaryLines(summary)) screen.say(line);
  if (options.keep) {
    for (const line of howToLook(stage)) screen.say(line);
    await keptAlive(world, interrupted);
  }
  return remains.code;
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
    // Ctrl-C is how a run with --keep ends.
    if (remains.code !== undefined) return remains.code;
    remains.keepLogs = false;
    screen.keep();
    screen.say('interrupted; stopping');
    return INTERRUPTED;
  } catch (error) {
    screen.keep();
    const message = error instanceof Error ? error.message : String(error);
    screen.say(`The demo failed: ${message}`);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`);
    return 1;
  } finally {
    await remains.world?.stop();
    if (remains.keepLogs || process.env.SIDESTEP_KEEP_LOGS) screen.say(`logs are kept in ${stateDir}`);
    else await removeScratch(stateDir);
  }
};
