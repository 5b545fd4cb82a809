import { admitted, posted } from './api-server-pod.js';
import type { DirectCase } from './golden-case.js';
import { GoldenCluster, type PodAnswer } from './golden-cluster.js';
import type { Judgeable } from './judge.js';
import { normalisedPod, plain } from './normalise.js';

/**
 * Replays pods that were sent to an API server with fields newer than OpenKruise's client. Recorded is what was sent and what the
 * server kept or said, so ours goes through the same defaults on its way.
 */
export function runDirectCase({ cases }: DirectCase): Judgeable[] {
  return cases.map(({ sidecarSets, pod, peerResult }, index) => {
    const cluster = new GoldenCluster();
    for (const set of sidecarSets) cluster.write(set);
    const object = posted(pod);
    const request = { namespace: pod.metadata.namespace ?? 'default', object };
    const inForm = (answer: PodAnswer): unknown =>
      plain(answer.allowed ? { allowed: true, patched: kept(admitted(answer.patched, object)) } : answer);
    const expected =
      peerResult.pod === undefined
        ? { allowed: false, error: peerResult.error ?? '' }
        : plain({ allowed: true, patched: kept(peerResult.pod) });
    const subject = `pod ${index + 1}`;
    const admitInstead = (instead: { object?: typeof object }) => inForm(cluster.admit({ ...request, ...instead }));
    const facts = { writes: sidecarSets.map((set) => ({ posted: set })), pod: { request: object, admitInstead } };
    return { comparison: { subject, expected, actual: inForm(cluster.admit(request)) }, facts };
  });
}

function kept(pod: DirectCase['cases'][number]['pod']): unknown {
  const { status: _status, ...rest } = pod;
  const { generation: _generation, resourceVersion: _version, ...metadata } = rest.metadata;
  return normalisedPod({ ...rest, metadata } as typeof pod);
}
