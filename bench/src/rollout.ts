import type { Bench, BenchContext, Row } from './bench.js';
import { measureRollout } from './rollout/measure.js';
import { measureKruiseCalls } from './rollout/measure-kruise-calls.js';
import { planRuns, type Run } from './rollout/plan.js';
import { RolloutStage } from './rollout/stage.js';

const platformOf = ({ api, workers, qps, kubeletMs }: Run): string => JSON.stringify([api, workers, qps, kubeletMs]);

/** Measures every combination; runs that differ in pods and mode only share one platform. */
const run = async ({ args, quick, root, say }: BenchContext): Promise<Row[]> => {
  const rows: Row[] = [];
  const runs = planRuns(args, quick);
  for (const platform of new Set(runs.map(platformOf))) {
    const mine = runs.filter((one) => platformOf(one) === platform);
    const [first] = mine;
    if (first === undefined) continue;
    say(`starting the platform on ${first.api} with ${first.workers} workers`);
    const stage = await RolloutStage.start(root, first);
    try {
      for (const one of mine) {
        say(`${one.mode} rollout of ${one.pods} pods by ${one.by}`);
        const measured = await (one.by === 'sidestep' ? measureRollout : measureKruiseCalls)(stage, one);
        for (const row of measured) say(JSON.stringify(row));
        rows.push(...measured);
      }
    } finally {
      await stage.stop();
    }
  }
  return rows;
};

export const bench: Bench = {
  name: 'rollout',
  description:
    'rolls an image out to pods whose kubelets answer at once; --pods 200,1000 --mode cold|hot --workers 1,2 --api kube-sim|real --qps shipped,1000 --kubelet-ms 0 --by sidestep,openkruise-calls --rounds 2 --profile FOLDER',
  run,
};
