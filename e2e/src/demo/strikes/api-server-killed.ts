import type { Platform } from '../../platform/platform.js';
import { until } from '../../platform/service.js';
import { PODS, SIDECARSETS } from '../../world/resources.js';
import { NAMESPACE } from '../../world/scenario.js';
import { podWriteDone } from './pod-write-done.js';
import { PATIENCE_MS, type Scene, type Strike } from './strike.js';

/** The version of every pod and SidecarSet by its uid, and the newest version of all. */
interface Look {
  versions: Map<string, number>;
  newest: number;
}

const look = async ({ api }: Platform): Promise<Look> => {
  const lists = [await api.list(PODS, { namespace: NAMESPACE }), await api.list(SIDECARSETS)];
  const objects = lists.flatMap(({ items }) => items);
  return {
    versions: new Map(objects.map(({ metadata }) => [String(metadata.uid), Number(metadata.resourceVersion)])),
    newest: Math.max(...lists.map(({ metadata }) => Number(metadata.resourceVersion))),
  };
};

const missing = (before: Look, after: Look): number =>
  [...before.versions].filter(([uid, version]) => !((after.versions.get(uid) ?? 0) >= version)).length;

/** In the middle of the rollout, with a write in it of which nobody was told; the port and the folder stay. */
export const apiServerKilled = async ({ world, begin, halfWay }: Scene): Promise<Strike> => {
  const { platform } = world;
  const server = platform.service('kube-sim');
  await podWriteDone(platform, begin);
  const before = await look(platform);
  const pods = halfWay();
  await server.kill('SIGKILL');
  await server.start();
  await server.ready();
  const after = await until(() => look(platform).catch(() => undefined), 'the API server to answer again', PATIENCE_MS);
  const lost = missing(before, after);
  const broken = [
    ...(lost > 0 ? [`${lost} objects were not there any more as the API server had shown them`] : []),
    ...(after.newest < before.newest ? [`versions went back from ${before.newest} to ${after.newest}`] : []),
  ];
  const kept = `the ${before.versions.size} pods and SidecarSets were there as before, and versions went on from ${after.newest}`;
  return {
    did: `kube-sim killed at version ${before.newest}, with ${pods.length} pods half way and a pod write that was done and not answered`,
    aftermath: async () => ({ kept: broken.length === 0 ? [kept] : [], broken }),
  };
};
