import { everything, planner, workers } from '../acts/control-plane.js';
import { lasts } from '../acts/node.js';
import { imageBecomes, podIs } from '../acts/phases.js';
import { redis } from '../acts/redis.js';
import { CANNOT_PULL, type MatrixRow } from '../row.js';

/** Every worker dies with the write in its hands; with 1 pod, its first write is the upgrade and its second the reset or the abort. */
const workerRow = (phase: string, nth: number, when: 'before' | 'after', quick = false): MatrixRow => ({
  name: `worker killed ${when} its ${phase} write`,
  act: [
    workers.writeUnanswered(nth, when),
    imageBecomes(phase === 'abort' ? 'absent' : 'v2'),
    workers.write,
    workers.killed,
    workers.start,
  ],
  expect: phase === 'abort' ? { aborts: CANNOT_PULL } : { runs: 'v2' },
  alone: true,
  quick,
});

const workerRows: MatrixRow[] = [
  workerRow('upgrade', 1, 'before'),
  workerRow('upgrade', 1, 'after'),
  workerRow('reset', 2, 'before'),
  workerRow('reset', 2, 'after', true),
  workerRow('abort', 2, 'before'),
  workerRow('abort', 2, 'after'),
  {
    name: 'worker killed while a migration waits',
    act: [imageBecomes('v2-slow'), podIs('upgrading'), workers.killed, workers.start],
    expect: { runs: 'v2-slow' },
    alone: true,
  },
  {
    name: 'worker stopped for a minute with a write under way, then goes on beside another one',
    act: [
      workers.writeUnanswered(1, 'after'),
      imageBecomes('v2'),
      workers.write,
      workers.stop,
      lasts(45),
      workers.goOn,
    ],
    expect: { runs: 'v2' },
    alone: true,
  },
];

const plannerRows: MatrixRow[] = [
  {
    name: 'planner killed, its lease expires, a second one takes over',
    given: { pods: 2 },
    act: [imageBecomes('v2'), podIs('upgrading'), planner.leaderKilled, planner.secondLeads],
    expect: { runs: 'v2' },
    alone: true,
    quick: true,
  },
  {
    name: 'planner killed before a rollout is asked for',
    act: [planner.leaderKilled, imageBecomes('v2'), planner.secondLeads],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'planner killed while a failed pod is to be aborted',
    act: [imageBecomes('absent'), podIs('upgrading', 'failed'), planner.leaderKilled, planner.secondLeads],
    expect: { aborts: CANNOT_PULL },
    alone: true,
  },
  {
    name: 'planner stopped past its lease, then goes on beside its successor',
    given: { pods: 2 },
    act: [imageBecomes('v2'), podIs('upgrading'), planner.leaderStopped, planner.secondLeads, planner.goesOn],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'planners and workers all killed at once',
    given: { pods: 2 },
    act: [imageBecomes('v2'), podIs('upgrading'), everything.killed, lasts(2), everything.start],
    expect: { runs: 'v2' },
    alone: true,
  },
];

const redisRows: MatrixRow[] = [
  {
    name: 'Redis killed and restarted empty',
    given: { pods: 2 },
    act: [imageBecomes('v2'), podIs('upgrading'), redis.killed, lasts(3), redis.startsEmpty],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'Redis killed before a rollout is asked for, and restarted empty',
    act: [redis.killed, imageBecomes('v2'), lasts(3), redis.startsEmpty],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'Redis loses everything',
    given: { pods: 2 },
    act: [imageBecomes('v2'), podIs('upgrading'), redis.flushed],
    expect: { runs: 'v2' },
    alone: true,
    quick: true,
  },
  {
    name: 'Redis slow',
    given: { pods: 2 },
    act: [imageBecomes('v2'), redis.slow],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'Redis out of memory',
    given: { pods: 2 },
    act: [redis.outOfMemory, imageBecomes('v2'), lasts(3), redis.hasMemory],
    expect: { runs: 'v2' },
    alone: true,
  },
];

/** Planner, workers, Redis. */
export const controlPlane: readonly MatrixRow[] = [...workerRows, ...plannerRows, ...redisRows];
