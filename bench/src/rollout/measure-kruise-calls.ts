import { until } from '@sidestep/e2e';
import type { Row } from '../bench.js';
import { callsSince, describeCalls } from './calls.js';
import { KruiseCalls } from './kruise-calls.js';
import { DEADLINE_MS } from './measure.js';
import { imageOf, type Run, roundName } from './plan.js';
import { PodTimes } from './pod-times.js';
import { CostMeter } from './processes.js';
import { IDLE_IMAGE, type RolloutStage } from './stage.js';

/**
 * What OpenKruise's calls for a hot rollout cost the same API server, with the same pods and kubelets. The pace is that of one call
 * after another by a program that decides nothing: the most that OpenKruise could do here.
 */
export const measureKruiseCalls = async (stage: RolloutStage, run: Run): Promise<Row[]> => {
  const name = stage.newName();
  await stage.createSet(name, run.mode);
  await stage.createPods(name, run.pods);
  const rows = await stage.withoutPlanner(async () => {
    const calls = new KruiseCalls(stage.connect('kruise-manager'), name);
    await calls.start();
    const played: Row[] = [];
    for (let round = 1; round <= run.rounds; round += 1) played.push(await play(stage, run, calls, { name, round }));
    await calls.stop();
    return played;
  });
  await stage.clear(name, run.pods);
  return rows;
};

const play = async (
  stage: RolloutStage,
  run: Run,
  calls: KruiseCalls,
  { name, round }: { name: string; round: number },
): Promise<Row> => {
  const times = new PodTimes(stage.pods, name);
  times.expect(imageOf(round), IDLE_IMAGE);
  const before = await stage.view?.requests();
  const [apiServer = 0, etcd = 0] = stage.pids.apiServer;
  const meter = new CostMeter([apiServer, etcd].filter((pid) => pid !== 0));
  const profiled = stage.profile(run, round);
  const startedAt = performance.now();
  await calls.upgrade(imageOf(round), round);
  await calls.reset({ image: imageOf(round), idle: IDLE_IMAGE }, round);
  await until(() => times.done === run.pods || undefined, 'every pod to be upgraded', DEADLINE_MS);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cost = meter.stop();
  await profiled;
  const requests = before && callsSince(before, (await stage.view?.requests()) ?? new Map());
  times.stop();
  const perPod = (pid: number): number => (cost.get(pid)?.cpuMs ?? 0) / run.pods;
  return {
    name: `${run.api} hot ${run.pods} pods, OpenKruise's calls${roundName(round)}`,
    ok: times.done === run.pods,
    podsPerMinute: Math.round((run.pods / seconds) * 60),
    podWritesPerPod: 2,
    apiServerCpuMsPerPod: perPod(apiServer),
    etcdCpuMsPerPod: perPod(etcd),
    ...(requests === undefined ? {} : { requests: describeCalls(requests) }),
  };
};
