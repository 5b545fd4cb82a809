import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeScratch, startInstantKubelet } from '@sidestep/testkit';
import { replaceEnded } from '../platform/replace-ended.js';
import { until } from '../platform/service.js';
import { EVENTS, REVISIONS } from '../world/resources.js';
import { World } from '../world/world.js';
import { Crowd } from './crowd.js';
import { EDITS, settle } from './edits.js';
import { endFaults, FAULTS, redisKeys } from './faults.js';
import { growthProblem, type HeapGrowth, heapGrowth } from './heap-growth.js';
import { HEAP_FOLDER, heapSamplesOf } from './heap-samples.js';
import { Random } from './random.js';

export interface SoakOptions {
  root: string;
  stateDir: string;
  minutes: number;
  pods: number;
  seed: number;
  say?: (line: string) => void;
}

export interface SoakReport {
  seed: number;
  /** What was done, and how often. */
  done: Record<string, number>;
  /** Pod writes seen, each of which was judged. */
  looks: number;
  redisKeys: number;
  mostEventsOfOneObject: number;
  mostRevisionsOfOneSet: number;
  /** At the end, in megabytes. */
  rssMb: Record<string, number>;
  /** Of the programs that lived through the second half. */
  heap: Record<string, HeapGrowth>;
  /** One sentence each; none when all is well. */
  problems: string[];
}

const CROWDS = 6;
const KUBELET_MS = 20;
const PAUSE_MS = [50, 400] as const;
/** BullMQ's own keys and the generation; none of a job is left when nothing is under way. */
const MOST_REDIS_KEYS = 12;
/** client-go's cap of 25 Events of one object, for each of the processes that may have written some. */
const MOST_EVENTS = 100;
/** `revisionHistoryLimit` and what pods still ran when it was last cut. */
const MOST_REVISIONS = 14;
const MOST_RSS_MB = 300;
/** A slow machine takes longer for them; fewer would leave most of what can happen out. */
const LEAST_STEPS = 80;
const QUEUE_DEADLINE_MS = 120_000;

/** Random edits, pauses, rollbacks, pod churn and faults for so long; then calm, in which everything must come right by itself. */
export const runSoak = async (options: SoakOptions): Promise<SoakReport> => {
  const world = await startWorld(options);
  const kubelet = startInstantKubelet({ api: world.platform.api, delayMs: KUBELET_MS });
  const report: SoakReport = emptyReport(options.seed);
  const endKeeping = keepAlive(world);
  try {
    await kubelet.synced();
    world.onPod(() => {
      report.looks += 1;
    });
    const crowds = await startCrowds(world, options);
    await disturb(world, crowds, options, report);
    await endFaults(world);
    await calm(crowds, report);
    await look(world, report);
    watchHeaps(world, options, report);
    for (const { history, name } of crowds)
      report.problems.push(...history.breaches.map((breach) => `${name}/${breach}`));
  } finally {
    await endKeeping();
    await kubelet.stop();
    await world.stop();
  }
  if (report.problems.length === 0) await removeScratch(options.stateDir);
  return report;
};

const emptyReport = (seed: number): SoakReport => ({
  seed,
  done: {},
  looks: 0,
  redisKeys: 0,
  mostEventsOfOneObject: 0,
  mostRevisionsOfOneSet: 0,
  rssMb: {},
  heap: {},
  problems: [],
});

const heapFolder = ({ stateDir }: SoakOptions): string => path.join(stateDir, 'heap');

const startWorld = (options: SoakOptions): Promise<World> => {
  const { root, stateDir } = options;
  mkdirSync(heapFolder(options), { recursive: true });
  return World.start({
    root,
    stateDir,
    workers: 2,
    planners: 2,
    queue: 'redis',
    needsRedis: true,
    ownRedis: true,
    env: {
      SIDESTEP_KUBE_QPS: '1000',
      SIDESTEP_KUBE_BURST: '2000',
      NODE_OPTIONS: `--import ${pathToFileURL(path.join(root, 'e2e/dist/soak/heap-probe.js'))}`,
      [HEAP_FOLDER]: heapFolder(options),
    },
  });
};

const startCrowds = async (world: World, { pods, say }: SoakOptions): Promise<Crowd[]> => {
  const crowds = Array.from(
    { length: CROWDS },
    (_, index) => new Crowd(world, `soak-${index + 1}`, Math.ceil(pods / CROWDS), index + 1),
  );
  for (const crowd of crowds) await crowd.start();
  say?.(`${crowds.length} SidecarSets with ${pods} pods`);
  return crowds;
};

const disturb = async (
  world: World,
  crowds: readonly Crowd[],
  { minutes, seed, say }: SoakOptions,
  report: SoakReport,
): Promise<void> => {
  const random = new Random(seed);
  const end = Date.now() + minutes * 60_000;
  let fault: Promise<void> = Promise.resolve();
  let isFaulty = false;
  const note = (what: string): void => {
    report.done[what] = (report.done[what] ?? 0) + 1;
    say?.(what);
  };
  for (let step = 0; step < LEAST_STEPS || Date.now() < end; step += 1) {
    if (!isFaulty && random.next() < 0.15) {
      const chosen = random.pick(FAULTS);
      note(chosen.name);
      isFaulty = true;
      fault = chosen.run(world, random).finally(() => {
        isFaulty = false;
      });
      fault.catch((error: unknown) => report.problems.push(`${chosen.name}: ${String(error)}`));
    } else {
      const edit = random.pick(EDITS);
      const crowd = random.pick(crowds);
      note(edit.name);
      await edit.run(crowd, random).catch((error: unknown) => report.problems.push(`${edit.name}: ${String(error)}`));
    }
    const [least, most] = PAUSE_MS;
    await new Promise((resolve) => setTimeout(resolve, random.between(least, most)));
  }
  await fault.catch(() => undefined);
};

/** A planner that lost its lease, in a fault or on a machine out of breath, ends itself. Returns what ends this. */
const keepAlive = (world: World): (() => Promise<void>) => {
  let isOn = true;
  const keep = async (): Promise<void> => {
    while (isOn) {
      await replaceEnded(world.platform);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };
  const kept = keep();
  return async () => {
    isOn = false;
    await kept;
  };
};

const calm = async (crowds: readonly Crowd[], report: SoakReport): Promise<void> => {
  await Promise.all(
    crowds.map(async (crowd) => {
      try {
        await crowd.everyPodRuns(await settle(crowd));
      } catch (error) {
        report.problems.push(String(error));
      }
    }),
  );
};

/** What must not grow. */
const look = async (world: World, report: SoakReport): Promise<void> => {
  const { platform } = world;
  const isEmpty = async (): Promise<boolean> => {
    report.redisKeys = await redisKeys(world);
    return report.redisKeys <= MOST_REDIS_KEYS;
  };
  await until(isEmpty, 'the queue to be empty', QUEUE_DEADLINE_MS).catch(() =>
    report.problems.push(`${report.redisKeys} keys are left in Redis`),
  );
  const { items: events } = await platform.api.list(EVENTS);
  report.mostEventsOfOneObject = most(
    events.map((event) => String((event as { involvedObject?: { uid?: string } }).involvedObject?.uid)),
  );
  if (report.mostEventsOfOneObject > MOST_EVENTS)
    report.problems.push(`${report.mostEventsOfOneObject} Events are about one object`);
  const { items: revisions } = await platform.api.list(REVISIONS);
  report.mostRevisionsOfOneSet = most(
    revisions.map(({ metadata }) => String(metadata.labels?.['kruise.io/sidecarset-name'])),
  );
  if (report.mostRevisionsOfOneSet > MOST_REVISIONS)
    report.problems.push(`${report.mostRevisionsOfOneSet} ControllerRevisions are kept of one SidecarSet`);
  for (const { spec, pid, isAlive } of platform.services.values()) {
    if (pid === undefined || !isAlive || spec.name === 'kube-sim') continue;
    const rss = rssMb(pid);
    report.rssMb[spec.name] = rss;
    if (rss > MOST_RSS_MB) report.problems.push(`${spec.name} takes ${rss} MB`);
  }
};

/** Growth of what is in use after garbage was collected: the size of a process says little about what it still needs. */
const watchHeaps = (world: World, options: SoakOptions, report: SoakReport): void => {
  for (const { spec, pid, isAlive } of world.platform.services.values()) {
    if (pid === undefined || !isAlive) continue;
    const growth = heapGrowth(heapSamplesOf(heapFolder(options), pid));
    if (growth === undefined) continue;
    report.heap[spec.name] = growth;
    const problem = growthProblem(spec.name, growth);
    if (problem !== undefined) report.problems.push(problem);
  }
};

const most = (names: readonly string[]): number => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Math.max(0, ...counts.values());
};

const rssMb = (pid: number): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
