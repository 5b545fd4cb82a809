import { gracePeriodMs, type KillRequest, killContainer } from './container-lifecycle.js';
import type { NodeContext } from './node-context.js';
import type { LiveContainer, PodContainers } from './pod-containers.js';
import { isNativeSidecar, type PodObject } from './pod-spec.js';

interface PodOnNode {
  context: NodeContext;
  pod: PodObject;
  containers: PodContainers;
}

/** How a container of the pod is ended now: within the grace that its deletion asks for, else within the pod's own. */
export function killRequest({ context, pod, containers }: PodOnNode, live: LiveContainer): KillRequest {
  const asked = pod.metadata.deletionGracePeriodSeconds;
  const graceMs = typeof asked === 'number' ? asked * 1000 : gracePeriodMs(pod);
  return { context, pod, live, podIP: containers.podIP, graceMs };
}

/** Ends app containers together, then native sidecars, the last one first. */
export async function killPod(on: PodOnNode): Promise<void> {
  const sidecars = (on.pod.spec.initContainers ?? []).filter(isNativeSidecar).map(({ name }) => name);
  const isSidecar = ({ record }: LiveContainer) => sidecars.includes(record.name);
  const live = on.containers.live();
  const apps = live.filter((container) => !isSidecar(container));
  await Promise.all(apps.map((container) => killContainer(killRequest(on, container))));
  const rest = live.filter(isSidecar).sort((a, b) => sidecars.indexOf(b.record.name) - sidecars.indexOf(a.record.name));
  for (const container of rest) await killContainer(killRequest(on, container));
}
