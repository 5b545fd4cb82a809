import { anyProcess, PROCESSES, type ProcessName } from '../acts/any-process.js';
import { imageBecomes, leave, type Phase, podIs, podsRun, reach, versionOf } from '../acts/phases.js';
import type { Act, MatrixRow } from '../row.js';

/** What happens before and after a death, and what must then run. */
interface Moment {
  name: string;
  before: readonly Act[];
  after: readonly Act[];
  runs: string;
}

const inPhase = (phase: Phase): Moment => ({
  name: `while a pod is ${phase}`,
  before: reach(phase),
  after: leave(phase),
  runs: versionOf(phase),
});

const MOMENTS: readonly Moment[] = [
  { name: 'before a rollout is asked for', before: [], after: [imageBecomes('v2')], runs: 'v2' },
  { name: 'as a rollout begins', before: [imageBecomes('v2')], after: [], runs: 'v2' },
  inPhase('upgrading'),
  inPhase('migrated'),
  inPhase('resetting'),
  {
    name: 'after a rollout, before the next one',
    before: [imageBecomes('v2'), podIs('upgrading'), podsRun('v2')],
    after: [imageBecomes('v3')],
    runs: 'v3',
  },
];

const QUICK: readonly string[] = ['kube-sim while a pod is migrated', 'webhook while a pod is upgrading'];

const row = (process: ProcessName, { name, before, after, runs }: Moment): MatrixRow => ({
  name: `killed and started again: ${process} ${name}`,
  given: { pods: 2 },
  act: [...before, anyProcess.killed(process), anyProcess.starts(process), ...after],
  expect: { runs },
  alone: true,
  simulatedOnly: process === 'kube-sim',
  quick: QUICK.includes(`${process} ${name}`),
});

/** Any one process of the control plane, at any moment of a rollout. */
export const killedRows: readonly MatrixRow[] = PROCESSES.flatMap((process) =>
  MOMENTS.map((moment) => row(process, moment)),
);
