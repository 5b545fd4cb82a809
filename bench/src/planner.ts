import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Bench, BenchContext, Row } from './bench.js';
import { allowFlags, numbersFlag } from './flags/flags.js';
import { STEPS } from './planner/prototype.js';
import { PlannerStage } from './planner/stage.js';

/** Events that the planner looks at together: what comes within its shortest time between two looks in a busy rollout. */
const TOGETHER = 20;
const SAMPLES = 4_000;
/** Pods whose begin a planner asks for in one look. */
const ASKED_AT_ONCE = 500;
/** A pod must not cost more than this however many there are, or a million of them fit no machine. */
const BYTES_PER_POD = 8_000;

interface Size {
  pods: number;
  sets: number;
}

/** Collects garbage now: heap sizes mean nothing otherwise. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

async function measure({ pods, sets }: Size, collect: () => void): Promise<Row> {
  collect();
  const before = process.memoryUsage().heapUsed;
  const stage = new PlannerStage(sets);
  const perSet = pods / sets;
  const list = stopwatch();
  for (let pod = 0; pod < pods; pod += 1) {
    const text = stage.eventText(Math.floor(pod / perSet), pod, 'idle');
    list.run(() => stage.take(text));
  }
  const first = stopwatch();
  await first.runAsync(() => stage.reconcileAll());
  collect();
  const heap = process.memoryUsage().heapUsed - before;
  const edit = stopwatch();
  stage.edit(0, 'mesh:v2');
  await edit.runAsync(() => stage.reconcile());
  const asked = stage.jobs.length;
  const { eventUs, events, updated } = await roll(stage, { pods, sets });
  return {
    name: `${pods} pods in ${sets} SidecarSets`,
    ok:
      asked === Math.min(Math.ceil(perSet / 10), ASKED_AT_ONCE) &&
      updated === Math.min(perSet, events / (STEPS.length - 1)),
    heapMb: heap / 1e6,
    heapBytesPerPod: Math.round(heap / pods),
    fits: heap / pods < BYTES_PER_POD,
    rssMb: Math.round(process.memoryUsage().rss / 1e6),
    listUsPerPod: (list.ms / pods) * 1_000,
    firstLookMs: first.ms,
    editToJobsMs: edit.ms,
    usPerPodEvent: eventUs,
  };
}

/** Takes pods of the first SidecarSet through an upgrade, and counts what an event costs, from its text to the jobs asked for. */
async function roll(
  stage: PlannerStage,
  { pods, sets }: Size,
): Promise<{ eventUs: number; events: number; updated: number }> {
  const watch = stopwatch();
  const count = Math.min(pods / sets, SAMPLES / (STEPS.length - 1));
  let events = 0;
  for (let from = 0; from < count; from += TOGETHER) {
    for (const step of STEPS.slice(1)) {
      const texts: string[] = [];
      for (let pod = from; pod < Math.min(from + TOGETHER, count); pod += 1) texts.push(stage.eventText(0, pod, step));
      events += texts.length;
      watch.run(() => texts.forEach((text) => void stage.take(text)));
      await watch.runAsync(() => stage.reconcile());
    }
  }
  return { eventUs: (watch.ms / events) * 1_000, events, updated: stage.updated(0) };
}

/** CPU time of this process, which other processes do not lengthen. */
const stopwatch = () => {
  const watch = {
    ms: 0,
    run(work: () => void): void {
      const before = process.cpuUsage();
      work();
      watch.add(before);
    },
    async runAsync(work: () => Promise<void>): Promise<void> {
      const before = process.cpuUsage();
      await work();
      watch.add(before);
    },
    add(before: NodeJS.CpuUsage): void {
      const { user, system } = process.cpuUsage(before);
      watch.ms += (user + system) / 1_000;
    },
  };
  return watch;
};

const sizesOf = (args: readonly string[], quick: boolean): Size[] => {
  const byDefault = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
  const sets = numbersFlag(args, '--sets', [])[0];
  return numbersFlag(args, '--pods', byDefault).map((pods) => ({ pods, sets: sets ?? Math.max(1, pods / 500) }));
};

export const bench: Bench = {
  name: 'planner',
  description:
    'CPU and memory of the planner alone, from the text of a watch event to the jobs asked for; --pods 1000,10000,100000 --sets N (default: one for 500 pods)',
  async run({ args, quick, say }: BenchContext): Promise<Row[]> {
    allowFlags(args, ['--pods', '--sets']);
    const collect = garbageCollector();
    const rows: Row[] = [];
    for (const size of sizesOf(args, quick)) {
      say(`${size.pods} pods in ${size.sets} SidecarSets`);
      rows.push(await measure(size, collect));
    }
    return rows;
  },
};
