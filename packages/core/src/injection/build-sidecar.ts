import type { Container, EnvVar, Pod } from '../api/kubernetes.js';
import type { CompiledSidecar, HotHalf } from './compile-sidecarset.js';
import { resourcesByPolicy } from './resources-policy.js';
import { sharedMounts, withSharedMounts } from './shared-mounts.js';
import { transferredEnv } from './transfer-env.js';

/**
 * The container or hot pair that a sidecar becomes in this pod.
 *
 * @param sidecarNames base names of all containers of the injected SidecarSets
 * @throws {InjectionRefused} when its resourcesPolicy cannot be applied
 */
export function buildSidecar(sidecar: CompiledSidecar, pod: Pod, sidecarNames: ReadonlySet<string>): Container[] {
  const container = needsPod(sidecar) ? fitToPod(sidecar, pod, sidecarNames) : sidecar.template;
  return sidecar.hotPair === undefined ? [container] : sidecar.hotPair.map((half) => hotContainer(container, half));
}

function needsPod({ sharesMounts, sharesDevices, transfers, resourcesPolicy }: CompiledSidecar): boolean {
  return sharesMounts || sharesDevices || transfers.length > 0 || resourcesPolicy !== undefined;
}

function fitToPod(sidecar: CompiledSidecar, pod: Pod, sidecarNames: ReadonlySet<string>): Container {
  const { template, resourcesPolicy } = sidecar;
  const shared = sharedMounts(pod, { mounts: sidecar.sharesMounts, devices: sidecar.sharesDevices });
  return {
    ...template,
    ...(resourcesPolicy ? { resources: resourcesByPolicy(resourcesPolicy, pod, sidecarNames) } : {}),
    ...withSharedMounts(template, shared),
    env: withMoreEnv(template.env ?? [], [...transferredEnv(sidecar.transfers, pod), ...shared.env]),
  };
}

/** An env that the sidecar has already wins, then the first of the others. */
function withMoreEnv(own: EnvVar[], more: EnvVar[]): EnvVar[] {
  if (more.length === 0) return own;
  const env = [...own];
  const names = new Set(own.map(({ name }) => name));
  for (const variable of more) {
    if (names.has(variable.name)) continue;
    names.add(variable.name);
    env.push(variable);
  }
  return env;
}

function hotContainer({ image: _image, ...container }: Container, half: HotHalf): Container {
  return {
    ...container,
    name: half.name,
    ...(half.image ? { image: half.image } : {}),
    env: [...(container.env ?? []), ...half.versionEnv],
  };
}
