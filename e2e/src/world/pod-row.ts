import { decidePodUpgrade, type FullPod, KRUISE, type Pod, type SidecarSet, upgradeTarget } from '@sidestep/core';
import type { PodRow } from '../demo/view.js';

const readJson = (text: string | undefined): Record<string, string> => {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    return {};
  }
};

/** The version tag of the container that the pod's pointer names. */
export const workingVersion = (pod: Pod, container: string): string => {
  const working = readJson(pod.metadata.annotations?.[KRUISE.workingHotContainer])[container];
  const image = pod.spec.containers.find(({ name }) => name === working)?.image;
  return image?.split(':').at(-1) ?? '?';
};

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** One line of the tree: the same state and reason that the control plane acts on. */
export const podRow = (set: SidecarSet, pod: Pod, now: Date): PodRow => {
  const container = set.spec.containers?.[0]?.name ?? '';
  const decision = decidePodUpgrade({ target: upgradeTarget(set), pod: pod as FullPod, now });
  const version = workingVersion(pod, container);
  return {
    name: pod.metadata.name ?? '',
    state: isReady(pod) || decision.state !== 'Idle' ? decision.state.toLowerCase() : 'starting',
    version,
    target: set.spec.containers?.[0]?.image?.endsWith(`:${version}`) ?? false,
    reason: decision.reason === 'UpToDate' ? '' : decision.reason,
  };
};
