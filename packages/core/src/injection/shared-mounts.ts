import { ENV } from '../api/keys.js';
import type { Container, EnvVar, Pod, VolumeDevice, VolumeMount } from '../api/kubernetes.js';

/** What the app containers of a pod can share with a sidecar. */
export interface SharedMounts {
  volumeMounts: VolumeMount[];
  volumeDevices: VolumeDevice[];
  /** Envs that the shared mounts' `subPathExpr` expand. */
  env: EnvVar[];
}

const EXPANSION = /\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g;

/** True for a container that an injector put there. */
export function isInjected(container: Container): boolean {
  return container.env?.find(({ name }) => name === ENV.isInjected)?.value === 'true';
}

/**
 * All mounts and devices of the pod's own containers, in their order. Init containers are no source, as in OpenKruise 1.9, and
 * neither are containers that are already injected.
 */
export function sharedMounts(pod: Pod, wants: { mounts: boolean; devices: boolean }): SharedMounts {
  const shared: SharedMounts = { volumeMounts: [], volumeDevices: [], env: [] };
  if (!wants.mounts && !wants.devices) return shared;
  for (const container of pod.spec.containers) {
    if (isInjected(container)) continue;
    const variables = new Map<string, EnvVar>();
    for (const variable of [...(container.env ?? [])].reverse()) variables.set(variable.name, variable);
    if (wants.devices) shared.volumeDevices.push(...(container.volumeDevices ?? []));
    for (const mount of wants.mounts ? (container.volumeMounts ?? []) : []) {
      shared.volumeMounts.push(mount);
      shared.env.push(...expandedEnv(mount, variables));
    }
  }
  return shared;
}

/** Each variable once, where it is named first: of two envs with one name the sidecar gets the first. */
function expandedEnv({ subPathExpr }: VolumeMount, variables: ReadonlyMap<string, EnvVar>): EnvVar[] {
  if (!subPathExpr) return [];
  const names = new Set([...subPathExpr.matchAll(EXPANSION)].map(([, name]) => name ?? ''));
  return [...names].flatMap((name) => variables.get(name) ?? []);
}

/** The sidecar's own mounts and devices, then the shared ones at paths that neither it nor an earlier one uses. */
export function withSharedMounts(
  own: Pick<Container, 'volumeMounts' | 'volumeDevices'>,
  shared: SharedMounts,
): { volumeMounts?: VolumeMount[]; volumeDevices?: VolumeDevice[] } {
  const volumeMounts = own.volumeMounts ?? [];
  const volumeDevices = own.volumeDevices ?? [];
  const taken = [...volumeMounts.map((mount) => mount.mountPath), ...volumeDevices.map((device) => device.devicePath)];
  const mounts = withoutTaken(shared.volumeMounts, (mount) => mount.mountPath, taken);
  const devices = withoutTaken(shared.volumeDevices, (device) => device.devicePath, taken);
  return {
    ...(mounts.length > 0 ? { volumeMounts: [...volumeMounts, ...mounts] } : {}),
    ...(devices.length > 0 ? { volumeDevices: [...volumeDevices, ...devices] } : {}),
  };
}

function withoutTaken<T>(items: readonly T[], path: (item: T) => string, taken: readonly string[]): T[] {
  const used = new Set(taken);
  return items.filter((item) => {
    const isFree = !used.has(path(item));
    used.add(path(item));
    return isFree;
  });
}
