import type { Pod } from '@sidestep/core';
import { isObject } from './compare.js';
import type { DirectCase } from './golden-case.js';
import { GoldenCluster } from './golden-cluster.js';
import type { Judgeable } from './judge.js';
import { normalisedPod } from './normalise.js';

/**
 * Replays pods that were sent to an API server with fields newer than OpenKruise's client. What came back has the server's own
 * defaults, so it is compared in what an injector decides: annotations, and the fields of containers that we have as well.
 */
export function runDirectCase(content: DirectCase): Judgeable[] {
  return content.cases.flatMap(({ sidecarSets, pod, peerResult }, index) => {
    const cluster = new GoldenCluster();
    for (const set of sidecarSets) cluster.write(set);
    const request = { namespace: pod.metadata.namespace ?? 'default', object: pod };
    const answer = cluster.admit(request);
    const ours = answer.allowed ? answer.patched : undefined;
    const expected = peerResult.pod && ours ? { allowed: true, patched: outline(peerResult.pod, ours) } : peerResult;
    const actual = ours ? { allowed: true, patched: outline(ours, ours) } : answer;
    const facts = { sidecarSets, isDirect: true, admission: { request, response: { allowed: true } } };
    const own = pod.spec.containers.map(({ name }) => name);
    const kept = ours?.spec.containers.filter(({ name }) => own.includes(name));
    const subject = `pod ${index + 1}`;
    return [
      { comparison: { subject, expected, actual }, facts },
      { comparison: { subject: `${subject}, its containers`, expected: pod.spec.containers, actual: kept }, facts },
    ];
  });
}

function outline(pod: Pod, ours: Pod): unknown {
  const { annotations } = (normalisedPod(pod) as Pod).metadata;
  const containers = pod.spec.containers.map((container) => {
    return sharedFields(container, ours.spec.containers.find(({ name }) => name === container.name) ?? container);
  });
  return { metadata: { annotations }, spec: { containers } };
}

/** Leaves out, at every depth, the fields of objects that the other side does not have. */
function sharedFields(value: unknown, other: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(other))
    return value.map((element, index) => sharedFields(element, other[index]));
  if (!isObject(value) || !isObject(other)) return value;
  const shared = Object.entries(value).filter(([key]) => key in other);
  return Object.fromEntries(shared.map(([key, held]) => [key, sharedFields(held, other[key])]));
}
