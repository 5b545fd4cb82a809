import { until } from '@sidestep/e2e';
import type { Row } from '../bench.js';
import { type Calls, callsSince, describeCalls, totalOf } from './calls.js';
import { KRUISE_ROLLOUT } from './kruise.js';
import { imageOf, type Run, roundName } from './plan.js';
import { PodTimes } from './pod-times.js';
import { CostMeter } from './processes.js';
import { IDLE_IMAGE, type RolloutStage } from './stage.js';

type Figures = Record<string, number | string | boolean>;

/** Without any progress; a rollout as such may take as long as it needs. */
export const DEADLINE_MS = 300_000;

/** Rollouts of the same pods one after another by whoever rules the stage, each from the edit of the SidecarSet to the last write on a pod. */
export const measureRollout = async (stage: RolloutStage, run: Run): Promise<Row[]> => {
  const name = stage.newName();
  await stage.createSet(name, run.mode);
  await stage.createPods(name, run.pods);
  const rows: Row[] = [];
  for (let round = 1; round <= run.rounds; round += 1) rows.push(await rollOut(stage, run, name, round));
  await stage.clear(name, run.pods);
  return rows;
};

const rollOut = async (stage: RolloutStage, run: Run, name: string, round: number): Promise<Row> => {
  const times = new PodTimes(stage.pods, name);
  times.expect(imageOf(round), run.mode === 'hot' ? IDLE_IMAGE : undefined);
  const before = await stage.calls();
  const asked = await stage.view?.requests();
  const { pids } = stage;
  const meter = new CostMeter(Object.values(pids).flat());
  const profiled = stage.profile(run, round);
  const editedAt = performance.now();
  await stage.setImage(name, imageOf(round));
  await untilAllAreDone(times, run.pods);
  const statusDone = await until(() => stage.isDone(name, run.pods), 'the status to say so').then(() =>
    performance.now(),
  );
  const cost = meter.stop();
  const calls = callsSince(before, await stage.calls());
  await profiled;
  const requests = asked && callsSince(asked, (await stage.view?.requests()) ?? new Map());
  times.stop();
  const since = (moment: number | undefined): number => Math.round((moment ?? Number.NaN) - editedAt);
  const sum = (of: number[]): number => of.reduce((total, pid) => total + (cost.get(pid)?.cpuMs ?? 0), 0) / run.pods;
  const peak = (of: number[]): number => Math.round(Math.max(0, ...of.map((pid) => cost.get(pid)?.peakRssMb ?? 0)));
  return {
    ...headline(run, round, times, editedAt),
    ...(run.by === 'openkruise' ? {} : callsOf(run, calls)),
    ok: times.done === run.pods && (run.by === 'openkruise' || patchesOf(run, calls) === (run.mode === 'hot' ? 2 : 1)),
    statusMs: since(statusDone),
    ...(run.by === 'openkruise'
      ? { managerCpuMsPerPod: sum(pids.manager), managerRssMb: peak(pids.manager) }
      : {
          plannerCpuMsPerPod: sum(pids.planner),
          workerCpuMsPerPod: sum(pids.workers),
          redisCpuMsPerPod: sum(pids.redis),
          plannerRssMb: peak(pids.planner),
          workerRssMb: peak(pids.workers),
        }),
    apiServerCpuMsPerPod: sum(pids.apiServer.slice(0, 1)),
    etcdCpuMsPerPod: sum(pids.apiServer.slice(1)),
    harnessCpuMsPerPod: sum(pids.harness),
    apiServerRssMb: peak(pids.apiServer),
    ...ratios(run, { podsPerMinute: pace(run, times, editedAt), apiServerCpu: sum(pids.apiServer.slice(0, 1)) }),
    ...(run.by === 'openkruise' ? {} : { calls: describeCalls(calls) }),
    ...(requests === undefined ? {} : { requests: describeCalls(requests) }),
  };
};

const untilAllAreDone = async (times: PodTimes, pods: number): Promise<void> => {
  while (times.done < pods) {
    const { moves } = times;
    await until(() => times.moves > moves || undefined, `one of ${pods - times.done} pods to move`, DEADLINE_MS);
  }
};

const endOf = ({ mode }: Run, times: PodTimes): number => times.moment(mode === 'hot' ? 'reset' : 'begun').at(-1) ?? 0;

/** As OpenKruise's was taken: from the edit to the last change of a pod's spec. */
const pace = (run: Run, times: PodTimes, editedAt: number): number =>
  Math.round((run.pods / (endOf(run, times) - editedAt)) * 60_000);

const patchesOf = (run: Run, calls: Calls): number => totalOf(calls, (key) => key === 'patch pods') / run.pods;

const callsOf = (run: Run, calls: Calls): Figures => ({
  callsPerPod: totalOf(calls) / run.pods,
  podWritesPerPod: patchesOf(run, calls),
  writesPerPod: totalOf(calls, (key) => /^(patch|update|create|replace|put|post|delete) /.test(key)) / run.pods,
});

const headline = (run: Run, round: number, times: PodTimes, editedAt: number): Figures & { name: string } => {
  const [begun, reset, waits] = [times.moment('begun'), times.moment('reset'), times.readyToReset()];
  const since = (moment: number | undefined): number => Math.round((moment ?? Number.NaN) - editedAt);
  const workers = `${run.workers} workers${run.by === 'sidestep-keep' ? ', managedFields kept' : ''}`;
  const by = run.by === 'openkruise' ? 'OpenKruise' : workers;
  return {
    name: `${run.api} ${run.mode} ${run.pods} pods, ${by}, ${run.qps ?? 'shipped'} qps${roundName(round)}`,
    podsPerMinute: pace(run, times, editedAt),
    firstPatchMs: since(begun[0]),
    lastBeginMs: since(begun.at(-1)),
    ...(run.mode === 'hot'
      ? {
          firstResetMs: since(reset[0]),
          lastResetMs: since(reset.at(-1)),
          resetWaitMedianMs: Math.round(waits[waits.length >> 1] ?? Number.NaN),
          resetWaitP95Ms: Math.round(waits[Math.floor(waits.length * 0.95)] ?? Number.NaN),
        }
      : {}),
  };
};

const ratios = (run: Run, ours: { podsPerMinute: number; apiServerCpu: number }) => {
  const kruise = KRUISE_ROLLOUT[run.qps === undefined ? 'shipped' : 'raised'][run.mode];
  return {
    paceToKruise: ours.podsPerMinute / kruise.podsPerMinute,
    ...(run.api === 'real' ? { apiServerCpuToKruise: ours.apiServerCpu / kruise.apiServerCpuMsPerPod } : {}),
  };
};
