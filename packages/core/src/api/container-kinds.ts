import type { Container } from './kubernetes.js';
import type { SidecarContainer } from './sidecarset.js';

/** True for a sidecar that is injected as a hot pair (`upgradeStrategy.upgradeType: HotUpgrade`). */
export function isHotUpgrade(container: SidecarContainer): boolean {
  return container.upgradeStrategy?.upgradeType === 'HotUpgrade';
}

/** True for an init container that keeps running beside the app: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
export function isNativeSidecar(initContainer: Container): boolean {
  return initContainer.restartPolicy === 'Always';
}

/** The names that the two halves of hot sidecar `name` have in a pod. */
export function hotPairNames(name: string): [first: string, second: string] {
  return [`${name}-1`, `${name}-2`];
}

/** The names that a sidecar has in a pod: its own, or those of its hot pair. */
export function containerNamesInPod(container: SidecarContainer): string[] {
  return isHotUpgrade(container) ? hotPairNames(container.name) : [container.name];
}

/** The names that an init container has in a pod. Only one that keeps running can be half of a hot pair. */
export function initContainerNamesInPod(container: SidecarContainer): string[] {
  return isNativeSidecar(container) ? containerNamesInPod(container) : [container.name];
}
