import { containerNamesInPod, initContainerNamesInPod } from '../container-kinds.js';
import { type FieldError, invalid } from '../field-error.js';
import { KRUISE } from '../keys.js';
import { genericJson } from '../schema/go-json.js';
import { namespaceSelectorsOverlap, selectorsOverlap } from '../selectors.js';
import type { PatchPodMetadata, SidecarContainer, SidecarSet } from '../sidecarset.js';

/** Whether some pod could be injected by both sets. */
export function sidecarSetsOverlap(a: SidecarSet, b: SidecarSet): boolean {
  return (
    selectorsOverlap(a.spec.selector, b.spec.selector) &&
    namespaceSelectorsOverlap(a.spec.namespaceSelector, b.spec.namespaceSelector)
  );
}

/**
 * A canary replaces its base on the pods that match both, so that they never meet. As in OpenKruise only the canary may be written
 * beside the other: a base does not change as long as a canary has containers of its names.
 */
function isCanaryOf(set: SidecarSet, base: SidecarSet): boolean {
  const name = canaryBaseOf(set);
  return name !== undefined && name === base.metadata.name;
}

/** The base of a canary SidecarSet; `undefined` for any other. */
export function canaryBaseOf({ metadata: { annotations } }: SidecarSet): string | undefined {
  return annotations?.[KRUISE.canary] === 'true' ? annotations[KRUISE.canaryBase] : undefined;
}

/**
 * What would clash on a pod that this set and another one match. Unlike OpenKruise the overlap is told exactly, and the names are
 * those that containers have in the pod, so that a hot `mesh` clashes with a `mesh-1`.
 */
export function validateConflicts(set: SidecarSet, all: Iterable<SidecarSet>, path: string): FieldError[] {
  const others = [...all]
    .filter((other) => other.metadata.name !== set.metadata.name && !isCanaryOf(set, other))
    .filter((other) => sidecarSetsOverlap(set, other))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  return [
    ...containerConflicts('initContainers', initContainerNamesInPod, set, others, path),
    ...containerConflicts('containers', containerNamesInPod, set, others, path),
    ...volumeConflicts(set, others, path),
    ...annotationConflicts(set, others, path),
  ];
}

/** Init containers are compared with init containers and containers with containers, as OpenKruise does. */
function containerConflicts(
  list: 'containers' | 'initContainers',
  namesInPod: (container: SidecarContainer) => string[],
  set: SidecarSet,
  others: SidecarSet[],
  path: string,
): FieldError[] {
  return (set.spec[list] ?? []).flatMap((container) => {
    const names = namesInPod(container);
    const clashes = (rival: SidecarContainer): boolean =>
      rival.name === container.name || namesInPod(rival).some((name) => names.includes(name));
    const other = others.find((each) => each.spec[list]?.some(clashes));
    if (other === undefined) return [];
    const detail = `container ${container.name} already exist in ${other.metadata.name}`;
    return [invalid(`${path}.containers`, container.name, detail)];
  });
}

function volumeConflicts(set: SidecarSet, others: SidecarSet[], path: string): FieldError[] {
  return (set.spec.volumes ?? []).flatMap((volume) => {
    const differs = (other: SidecarSet): boolean =>
      (other.spec.volumes ?? []).some(
        (rival) => rival.name === volume.name && genericJson(rival) !== genericJson(volume),
      );
    const other = others.find(differs);
    if (other === undefined) return [];
    const detail = `volume ${volume.name} is in conflict with sidecarset ${other.metadata.name}`;
    return [invalid(`${path}.volumes`, volume.name, detail)];
  });
}

const changing = (patches: PatchPodMetadata[] | undefined): PatchPodMetadata[] =>
  (patches ?? []).filter((patch) => patch.patchPolicy !== 'Retain');

function annotationConflicts(set: SidecarSet, others: SidecarSet[], path: string): FieldError[] {
  return changing(set.spec.patchPodMetadata).flatMap(({ annotations = {}, patchPolicy }) =>
    Object.keys(annotations)
      .sort()
      .flatMap((key) => {
        const clashes = (rival: PatchPodMetadata): boolean =>
          Object.hasOwn(rival.annotations ?? {}, key) &&
          (patchPolicy === 'Overwrite' || rival.patchPolicy === 'Overwrite');
        const other = others.find((each) => changing(each.spec.patchPodMetadata).some(clashes));
        if (other === undefined) return [];
        const detail = `annotation ${key} is in conflict with sidecarset ${other.metadata.name}`;
        return [invalid(`${path}.patchPodMetadata`, key, detail)];
      }),
  );
}
