import {
  applyJsonPatch,
  type ContainerStatus,
  type ControllerRevision,
  decidePodUpgrade,
  decideRollout,
  type Pod,
  type RolloutDecision,
  type SidecarSet,
  upgradeTarget,
} from '@sidestep/core';
import { CaseFormError } from './checks.js';
import type { SelectionCase } from './golden-case.js';
import { GoldenCluster } from './golden-cluster.js';
import type { Judgeable } from './judge.js';
import { withoutZero } from './normalise.js';

/** What the recording kubelet could never start. */
const BAD_IMAGE = /bad-image|:bad/;
/** Far beyond the rounds that any recorded rollout takes. */
const MAX_ROUNDS = 100;

/**
 * Replays a rollout: injects the recorded pods, changes the image, and lets the rollout's decisions and a kubelet take turns
 * until nothing is due. Compared are the order of the writes, the pods left alone, and the last status.
 */
export function runSelectionCase(content: SelectionCase): Judgeable[] {
  const cluster = new GoldenCluster();
  written(cluster, content.sidecarSet);
  const pods = new Map(content.podsBefore.map((recorded) => [recorded.name, runningPod(cluster, recorded)]));
  const { stored, revisions } = written(cluster, withImage(content.sidecarSet, content.newImage));
  const now = new Date(
    Math.max(...content.podsBefore.map(({ creationTimestamp }) => Date.parse(creationTimestamp))) + 60_000,
  );
  const order: string[] = [];
  let decision = decide(stored, revisions, pods, now);
  for (let round = 0; decision.jobs.length > 0 && round < MAX_ROUNDS; round += 1) {
    const before = new Map(pods);
    for (const { pod } of decision.jobs) order.push(...upgrade(stored, revisions, pods, pod, now));
    if ([...pods].every(([name, pod]) => before.get(name) === pod)) break;
    decision = decide(stored, revisions, pods, now);
  }
  const notPatched = [...pods.keys()].filter((name) => !order.includes(name));
  const actual = { patchedInOrder: order, notPatched, status: withoutZero(decision.status) };
  const facts = { writes: [] };
  return [{ comparison: { subject: 'rollout', expected: content.expected, actual }, facts }];
}

function written(cluster: GoldenCluster, set: SidecarSet): { stored: SidecarSet; revisions: ControllerRevision[] } {
  const answer = cluster.write(set);
  if (!('stored' in answer))
    throw new CaseFormError(`sidecarSet is refused: ${answer.message}; allowed is one that OpenKruise took`);
  return answer;
}

function withImage(set: SidecarSet, image: string): SidecarSet {
  const containers = (set.spec.containers ?? []).map((container, index) =>
    index === 0 ? { ...container, image } : container,
  );
  return { ...set, spec: { ...set.spec, containers } };
}

function decide(
  sidecarSet: SidecarSet,
  revisions: ControllerRevision[],
  pods: Map<string, Pod>,
  now: Date,
): RolloutDecision {
  const latestRevision = sidecarSet.status?.latestRevision ?? '';
  return decideRollout({ sidecarSet, revisions, latestRevision }, pods.values(), now);
}

function runningPod(cluster: GoldenCluster, recorded: SelectionCase['podsBefore'][number]): Pod {
  const { name, labels = {}, creationTimestamp, ready } = recorded;
  const metadata = {
    name,
    namespace: 'golden',
    labels,
    uid: `uid-of-${name}`,
    resourceVersion: '1',
    creationTimestamp,
  };
  const object: Pod = { metadata, spec: { nodeName: 'fake-0', containers: [{ name: 'app', image: 'app:1' }] } };
  const answer = cluster.admit({ namespace: 'golden', object });
  if (!answer.allowed)
    throw new CaseFormError(`pod ${name} is refused: ${answer.status.message}; allowed is one that OpenKruise let in`);
  const isReady = ready.status === 'True';
  return kubelet(
    { ...answer.patched, status: { phase: 'Running', conditions: [{ ...ready, type: 'Ready' }] } },
    isReady,
  );
}

/** Runs what the spec asks for; in a pod that was not ready before, it is the app that is not. */
function kubelet(pod: Pod, isAppReady: boolean): Pod {
  const containerStatuses = pod.spec.containers.map(({ name, image = '' }): ContainerStatus => {
    const isGood = !BAD_IMAGE.test(image) && (name !== 'app' || isAppReady);
    const state = isGood ? { running: {} } : { waiting: { reason: 'ErrImagePull' } };
    const before = pod.status?.containerStatuses?.find((status) => status.name === name);
    const restartCount = (before?.restartCount ?? 0) + (before === undefined || before.image === image ? 0 : 1);
    const ids = isGood ? { imageID: `id-of-${image}`, containerID: `${name}-${restartCount}` } : { imageID: '' };
    return { name, image, ...ids, ready: isGood, restartCount, state };
  });
  const status = containerStatuses.every(({ ready }) => ready) ? 'True' : 'False';
  const conditions = (pod.status?.conditions ?? []).map((each) => (each.type === 'Ready' ? { ...each, status } : each));
  return { ...pod, status: { ...pod.status, conditions, containerStatuses } };
}

/** One upgrade job: the write, and the kubelet's answer to it. */
function upgrade(
  set: SidecarSet,
  revisions: ControllerRevision[],
  pods: Map<string, Pod>,
  name: string,
  now: Date,
): string[] {
  const pod = pods.get(name);
  if (pod === undefined) return [];
  const { patch, due } = decidePodUpgrade({ target: upgradeTarget(set, revisions), pod, now });
  if (patch === undefined) return [];
  const isAppReady = pod.status?.containerStatuses?.find((status) => status.name === 'app')?.ready === true;
  pods.set(name, kubelet(applyJsonPatch(pod, patch), isAppReady));
  return due === 'upgrade' ? [name] : [];
}
