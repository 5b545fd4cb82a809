import { until } from '@sidestep/e2e';
import type { Row } from '../bench.js';
import { KruiseCalls } from './kruise-calls.js';
import { DEADLINE_MS, NEW_IMAGE } from './measure.js';
import type { Run } from './plan.js';
import { PodTimes } from './pod-times.js';
import { CostMeter } from './processes.js';
import { IDLE_IMAGE, type RolloutStage } from './stage.js';

/**
 * What OpenKruise's calls for a hot rollout cost the same API server, with the same pods, kubelets and watches. Only the API
 * server's CPU is comparable: how fast the calls are made says nothing about OpenKruise.
 */
export const measureKruiseCalls = async (stage: RolloutStage, run: Run): Promise<Row> => {
  const name = stage.newName();
  await stage.createSet(name, run.mode);
  await stage.createPods(name, run.pods);
  const row = await stage.withoutPlanner(() => play(stage, run, name));
  await stage.clear(name, run.pods);
  return row;
};

const play = async (stage: RolloutStage, run: Run, name: string): Promise<Row> => {
  const calls = new KruiseCalls(stage.platform.api, name);
  await calls.start();
  const times = new PodTimes(stage.platform.api, name);
  await times.start();
  times.expect(NEW_IMAGE, IDLE_IMAGE);
  const [apiServer = 0, etcd = 0] = stage.pids.apiServer;
  const meter = new CostMeter([apiServer, etcd].filter((pid) => pid !== 0));
  const startedAt = performance.now();
  await calls.upgrade(NEW_IMAGE);
  await calls.reset(NEW_IMAGE, IDLE_IMAGE);
  await until(() => times.done === run.pods || undefined, 'every pod to be upgraded', DEADLINE_MS);
  const seconds = (performance.now() - startedAt) / 1_000;
  const cost = meter.stop();
  await Promise.all([calls.stop(), times.stop()]);
  const perPod = (pid: number): number => (cost.get(pid)?.cpuMs ?? 0) / run.pods;
  return {
    name: `${run.api} hot ${run.pods} pods, OpenKruise's calls`,
    ok: times.done === run.pods,
    callsPerPod: 4,
    podWritesPerPod: 2,
    apiServerCpuMsPerPod: perPod(apiServer),
    etcdCpuMsPerPod: perPod(etcd),
    seconds,
  };
};
