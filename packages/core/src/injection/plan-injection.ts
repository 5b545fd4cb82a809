import { KRUISE } from '../api/keys.js';
import type { Pod, Volume } from '../api/kubernetes.js';
import { applyJsonPatch } from './apply-json-patch.js';
import { buildSidecar } from './build-sidecar.js';
import { chooseRevision } from './choose-revision.js';
import type { CompiledSidecar, InjectionMaterial } from './compile-sidecarset.js';
import { annotateHotPairs } from './hot-pair-annotations.js';
import { annotationPatch, injectionPatch } from './injection-patch.js';
import type { InjectionInput, InjectionPlan } from './injection-plan.js';
import { injectionRecordsText, readInjectionRecords } from './injection-records.js';
import { placeContainers, type Sidecar, warnAcrossLists } from './place-containers.js';
import { patchPodAnnotations } from './pod-metadata.js';
import { selectSidecarSets } from './select-sidecarsets.js';

/** One SidecarSet's part in an injection. */
interface Chosen {
  material: InjectionMaterial;
  rejectsConflict: boolean;
}

/**
 * Decides what admission adds to a pod (OpenKruise 1.9, `docs/explanation` names where Sidestep differs).
 *
 * SidecarSets apply in the order of their names. Asking again for a pod that is already injected gives the same containers.
 *
 * @throws {InjectionRefused} with OpenKruise's message when the pod must not be created
 */
export function planInjection(input: InjectionInput): InjectionPlan {
  const { pod } = input;
  if (isFinished(pod)) return { patch: [], injected: [], skipped: [], warnings: [] };
  const { selected, skipped } = selectSidecarSets(input);
  if (selected.length === 0) return { patch: [], injected: [], skipped, warnings: [] };
  const chosen = selected.map((compiled) => ({
    material: chooseRevision(compiled, input),
    rejectsConflict: compiled.sidecarSet.spec.injectionStrategy?.onNameConflict === 'Reject',
  }));
  const annotations = { ...pod.metadata.annotations };
  for (const { material } of chosen) patchPodAnnotations(annotations, material.patchPodMetadata);
  const injecting = chosen.filter(({ material }) => material.containers.length + material.initContainers.length > 0);
  const injected = selected.map(({ name }) => name);
  if (injecting.length === 0) return { patch: annotationPatch(pod, annotations), injected, skipped, warnings: [] };
  recordInjection(annotations, input, injected, injecting);
  const { patch, warnings } = insertSidecars(pod, annotations, injecting);
  return { patch, injected, skipped, warnings };
}

/** The pod as the plan's patch leaves it, and the plan; the given pod stays as it was. Throws as {@link planInjection}. */
export function injectPod(input: InjectionInput): { pod: Pod; plan: InjectionPlan } {
  const plan = planInjection(input);
  return { pod: applyJsonPatch(input.pod, plan.patch), plan };
}

function isFinished(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' || pod.metadata.deletionTimestamp !== undefined;
}

function recordInjection(
  annotations: Record<string, string>,
  { pod, namespace, now }: InjectionInput,
  names: string[],
  injecting: Chosen[],
): void {
  const podName = `${pod.metadata.namespace ?? namespace}/${pod.metadata.name ?? ''}`;
  const hashes = readInjectionRecords(annotations[KRUISE.hash], KRUISE.hash, podName);
  const withoutImage = readInjectionRecords(annotations[KRUISE.hashWithoutImage], KRUISE.hashWithoutImage, podName);
  const updateTimestamp = `${now.toISOString().slice(0, 19)}Z`;
  for (const { material } of injecting) {
    const { sidecarSet: sidecarSetName, sidecarList, revision } = material;
    const common = { sidecarSetName, sidecarList };
    const controllerRevision = revision === undefined ? {} : { controllerRevision: revision };
    hashes.set(sidecarSetName, { updateTimestamp, hash: material.hash, ...common, ...controllerRevision });
    withoutImage.set(sidecarSetName, { updateTimestamp, hash: material.hashWithoutImage, ...common });
  }
  annotations[KRUISE.hash] = injectionRecordsText(hashes);
  annotations[KRUISE.hashWithoutImage] = injectionRecordsText(withoutImage);
  const before = annotations[KRUISE.injectedList];
  annotations[KRUISE.injectedList] = [...new Set([...(before ? before.split(',') : []), ...names])].sort().join(',');
  const sidecars = injecting.flatMap(({ material }) => [...material.initContainers, ...material.containers]);
  annotateHotPairs(annotations, sidecars);
}

function insertSidecars(
  pod: Pod,
  annotations: Record<string, string>,
  injecting: Chosen[],
): Pick<InjectionPlan, 'patch' | 'warnings'> {
  const all = injecting.flatMap(({ material }) => [...material.initContainers, ...material.containers]);
  const names = new Set(all.map(({ name }) => name));
  const build = (chosen: Chosen, sidecars: CompiledSidecar[]): Sidecar[] =>
    sidecars.flatMap((sidecar) =>
      buildSidecar(sidecar, pod, names).map((container) => ({
        container,
        before: sidecar.before,
        sidecarSet: chosen.material.sidecarSet,
        rejectsConflict: chosen.rejectsConflict,
      })),
    );
  const initSidecars = injecting
    .flatMap((chosen) => build(chosen, chosen.material.initContainers))
    .sort(byContainerName);
  const sidecars = injecting.flatMap((chosen) => build(chosen, chosen.material.containers));
  const ownInit = pod.spec.initContainers ?? [];
  const initContainers = placeContainers(ownInit, initSidecars);
  const containers = placeContainers(pod.spec.containers, sidecars);
  const acrossLists = warnAcrossLists(
    { existing: ownInit, sidecars: initSidecars },
    { existing: pod.spec.containers, sidecars },
  );
  const volumes = newByName(
    pod.spec.volumes,
    all.flatMap((sidecar): Volume[] => sidecar.volumes),
  );
  const secrets = injecting.flatMap(({ material }) => material.imagePullSecrets);
  const imagePullSecrets = newByName(pod.spec.imagePullSecrets, secrets);
  const patch = injectionPatch(pod, { annotations, initContainers, containers, volumes, imagePullSecrets });
  return { patch, warnings: [...initContainers.warnings, ...containers.warnings, ...acrossLists] };
}

/** Init containers start one after the other: their order over several SidecarSets is by name, as in OpenKruise. */
function byContainerName(a: Sidecar, b: Sidecar): number {
  return a.container.name < b.container.name ? -1 : a.container.name > b.container.name ? 1 : 0;
}

/** The first of each name that the pod does not have yet; on a clash of names the pod's own stays. */
function newByName<T extends { name?: string }>(existing: readonly T[] | undefined, added: readonly T[]): T[] {
  const names = new Set(existing?.map(({ name }) => name));
  return added.filter(({ name }) => {
    const isNew = !names.has(name);
    names.add(name);
    return isNew;
  });
}
