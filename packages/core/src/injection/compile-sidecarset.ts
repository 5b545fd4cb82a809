import { hotPairNames, isHotUpgrade, isNativeSidecar } from '../api/container-kinds.js';
import { ENV, KRUISE } from '../api/keys.js';
import type { Container, ControllerRevision, EnvVar, Volume } from '../api/kubernetes.js';
import type { PatchPodMetadata, SidecarContainer, SidecarSet } from '../api/sidecarset.js';
import { type CompiledResourcesPolicy, compileResourcesPolicy } from './resources-policy.js';
import { type CompiledTransfer, compileTransfer } from './transfer-env.js';

/** The half of a hot pair: what differs from its sidecar. */
export interface HotHalf {
  name: string;
  image: string | undefined;
  versionEnv: EnvVar[];
}

/** One container of a SidecarSet with everything that does not depend on the pod computed. */
export interface CompiledSidecar {
  name: string;
  before: boolean;
  /** The container as it is injected, without what a pod adds; shared between pods, never changed. */
  template: Container;
  /** The two halves of a hot sidecar, first the one that works. */
  hotPair: [HotHalf, HotHalf] | undefined;
  sharesMounts: boolean;
  sharesDevices: boolean;
  transfers: CompiledTransfer[];
  resourcesPolicy: CompiledResourcesPolicy | undefined;
  /** Volumes of the SidecarSet that the container mounts or maps, in the order of its mounts. */
  volumes: Volume[];
}

/** What one revision of a SidecarSet brings to a pod. */
export interface InjectionMaterial {
  sidecarSet: string;
  hash: string;
  hashWithoutImage: string;
  /** Name of the ControllerRevision; undefined until the first one is recorded. */
  revision: string | undefined;
  initContainers: CompiledSidecar[];
  containers: CompiledSidecar[];
  /** Base names of containers and native sidecars, sorted: `sidecarList` of the pod's records. */
  sidecarList: string[];
  imagePullSecrets: { name?: string }[];
  patchPodMetadata: PatchPodMetadata[];
}

/** A SidecarSet as the index holds it. */
export interface CompiledSidecarSet {
  name: string;
  sidecarSet: SidecarSet;
  /** Of the current spec. */
  material: InjectionMaterial;
  /** Of revisions that were asked for, as long as the store keeps the same object. */
  restored: WeakMap<ControllerRevision, InjectionMaterial>;
}

export function compileSidecarSet(sidecarSet: SidecarSet): CompiledSidecarSet {
  const name = sidecarSet.metadata.name ?? '';
  return { name, sidecarSet, material: compileMaterial(sidecarSet), restored: new WeakMap() };
}

/** Prepares the spec of a stored SidecarSet, current or restored from a revision. */
export function compileMaterial({ metadata, spec, status }: SidecarSet): InjectionMaterial {
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const initContainers = spec.initContainers ?? [];
  const containers = spec.containers ?? [];
  const listed = [...initContainers.filter(isNativeSidecar), ...containers].map((container) => container.name);
  return {
    sidecarSet: metadata.name ?? '',
    hash: metadata.annotations?.[KRUISE.hash] ?? '',
    hashWithoutImage: metadata.annotations?.[KRUISE.hashWithoutImage] ?? '',
    revision: status?.latestRevision || undefined,
    initContainers: initContainers.map((container) => compileSidecar(container, volumes, isNativeSidecar(container))),
    containers: containers.map((container) => compileSidecar(container, volumes, true)),
    sidecarList: [...new Set(listed)].sort(),
    imagePullSecrets: spec.imagePullSecrets ?? [],
    patchPodMetadata: spec.patchPodMetadata ?? [],
  };
}

function compileSidecar(sidecar: SidecarContainer, volumes: Map<string, Volume>, mayBeHot: boolean): CompiledSidecar {
  return {
    name: sidecar.name,
    before: sidecar.podInjectPolicy === 'BeforeAppContainer',
    template: templateOf(sidecar),
    hotPair: mayBeHot && isHotUpgrade(sidecar) ? hotPairOf(sidecar) : undefined,
    sharesMounts: sidecar.shareVolumePolicy?.type === 'enabled',
    sharesDevices: sidecar.shareVolumeDevicePolicy?.type === 'enabled',
    transfers: (sidecar.transferEnv ?? []).map(compileTransfer),
    resourcesPolicy: sidecar.resourcesPolicy && compileResourcesPolicy(sidecar.resourcesPolicy),
    volumes: [...(sidecar.volumeMounts ?? []), ...(sidecar.volumeDevices ?? [])].flatMap(
      ({ name }) => volumes.get(name) ?? [],
    ),
  };
}

/** A pod's container type has none of the fields that only a SidecarSet's has. */
function templateOf(sidecar: SidecarContainer): Container {
  const {
    podInjectPolicy: _podInjectPolicy,
    upgradeStrategy: _upgradeStrategy,
    shareVolumePolicy: _shareVolumePolicy,
    shareVolumeDevicePolicy: _shareVolumeDevicePolicy,
    transferEnv: _transferEnv,
    resourcesPolicy: _resourcesPolicy,
    ...container
  } = sidecar;
  // A marker of the sidecar's own would stand in the list twice, or contradict ours.
  const env = (container.env ?? []).filter(({ name }) => name !== ENV.isInjected);
  return { ...container, env: [...env, { name: ENV.isInjected, value: 'true' }] };
}

function hotPairOf(sidecar: SidecarContainer): [HotHalf, HotHalf] {
  const [working, empty] = hotPairNames(sidecar.name);
  return [
    { name: working, image: sidecar.image, versionEnv: versionEnv(working) },
    { name: empty, image: sidecar.upgradeStrategy?.hotUpgradeEmptyImage ?? '', versionEnv: versionEnv(empty) },
  ];
}

function versionEnv(container: string): EnvVar[] {
  const fromAnnotation = (name: string, annotation: string): EnvVar => ({
    name,
    valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${annotation}']` } },
  });
  return [
    fromAnnotation(ENV.version, `${KRUISE.versionPrefix}${container}`),
    fromAnnotation(ENV.versionAlt, `${KRUISE.versionAltPrefix}${container}`),
  ];
}
