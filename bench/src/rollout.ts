import type { Bench, BenchContext, Row } from './bench.js';
import { measureRollout } from './rollout/measure.js';
import { measureKruiseCalls } from './rollout/measure-kruise-calls.js';
import { planRuns, type Run } from './rollout/plan.js';
import { RolloutStage } from './rollout/stage.js';

/** OpenKruise takes a platform's place for good, and its calls can be played beside either setting of Sidestep. */
const platformOf = ({ api, workers, qps, kubeletMs, by }: Run): string =>
  JSON.stringify([api, workers, qps, kubeletMs, by === 'openkruise-calls' ? 'sidestep' : by]);

/** What both of a pair have in common. */
const sizeOf = ({ api, qps, kubeletMs, pods, mode }: Run): string => JSON.stringify([api, qps, kubeletMs, pods, mode]);

interface Measured {
  run: Run;
  round: number;
  row: Row;
}

/** Measures every combination; runs that differ in pods and mode only share one platform. */
const run = async ({ args, quick, root, say }: BenchContext): Promise<Row[]> => {
  const rows: Measured[] = [];
  const runs = planRuns(args, quick);
  for (const platform of new Set(runs.map(platformOf))) {
    const mine = runs.filter((one) => platformOf(one) === platform);
    const [first] = mine;
    if (first === undefined) continue;
    say(
      `starting ${first.by === 'openkruise' ? 'OpenKruise' : `the platform with ${first.workers} workers`} on ${first.api}`,
    );
    const stage = await RolloutStage.start(root, first);
    try {
      for (const one of mine) {
        say(`${one.mode} rollout of ${one.pods} pods by ${one.by}`);
        const measured = await tried(one, () =>
          (one.by === 'openkruise-calls' ? measureKruiseCalls : measureRollout)(stage, one),
        );
        for (const row of measured) say(JSON.stringify(row));
        rows.push(...measured.map((row, index) => ({ run: one, round: index + 1, row })));
      }
    } finally {
      await stage.stop();
    }
  }
  return besideOpenKruise(rows);
};

/** A rollout that failed is a row that says so: those before and after it were measured all the same. */
const tried = async (run: Run, measure: () => Promise<Row[]>): Promise<Row[]> => {
  try {
    return await measure();
  } catch (error) {
    const name = `${run.api} ${run.mode} ${run.pods} pods by ${run.by}, ${run.workers} workers`;
    return [{ name, ok: false, error: error instanceof Error ? error.message : String(error) }];
  }
};

/** Whom a rollout of Sidestep is compared with, where the same one was measured in this run: figures by the name that they get. */
const BESIDE = { openkruise: 'xOpenKruise', 'openkruise-calls': 'xOpenKruiseCalls' } as const;

/** Adds to each rollout of Sidestep how many times OpenKruise's pace and CPU of the API server it had. */
const besideOpenKruise = (measured: readonly Measured[]): Row[] =>
  measured.map(({ run, round, row }) => {
    if (!run.by.startsWith('sidestep')) return row;
    const ratios = Object.entries(BESIDE).map(([by, name]) => {
      const theirs = measured.find(
        (other) => other.run.by === by && other.round === round && sizeOf(other.run) === sizeOf(run),
      )?.row;
      const times = (figure: string): number => Number(row[figure]) / Number(theirs?.[figure]);
      if (theirs === undefined) return {};
      return { [`${name}Pace`]: times('podsPerMinute'), [`${name}ApiServerCpu`]: times('apiServerCpuMsPerPod') };
    });
    return Object.assign({}, row, ...ratios) as Row;
  });

export const bench: Bench = {
  name: 'rollout',
  description:
    'rolls an image out to pods whose kubelets answer at once; --pods 200,1000 --mode cold|hot --workers 1,2 --api kube-sim|real --qps shipped,1000 --kubelet-ms 0 --by sidestep,sidestep-keep,openkruise,openkruise-calls --kruise FOLDER --rounds 2 --profile FOLDER',
  run,
};
