import type { FieldCause } from '../api-error.js';
import { sameJson } from '../json.js';
import type { Strategy } from '../strategy.js';
import type { SimObject } from '../types.js';
import { admitPod, containersOf, defaultPod, listOf, qosClassOf } from './pod-defaults.js';

type Plain = Record<string, unknown>;

const specOf = (pod: SimObject): Plain => (pod.spec ?? {}) as Plain;

/** How pods are made and changed. */
export const podStrategy: Strategy = {
  default: defaultPod,

  admit: admitPod,

  prepareCreate(pod) {
    pod.metadata.generation = 1;
    pod.status = { phase: 'Pending', qosClass: qosClassOf(specOf(pod)) };
  },

  prepareUpdate(pod, old) {
    pod.status = old.status;
    if (!sameJson(pod.spec, old.spec)) pod.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },

  /** Labels and annotations may ride along with a status update, the spec may not. */
  prepareStatusUpdate(pod, old) {
    pod.spec = old.spec;
    pod.metadata.ownerReferences = old.metadata.ownerReferences ?? [];
    if (pod.metadata.ownerReferences.length === 0) delete pod.metadata.ownerReferences;
  },

  validate: (pod) => [...validateContainers(specOf(pod)), ...validateMounts(specOf(pod))],

  validateUpdate(pod, old) {
    if (sameJson(frozenPart(specOf(pod), specOf(old)), frozenPart(specOf(old), specOf(old)))) return [];
    return [{ reason: 'FieldValueForbidden', message: `Forbidden: ${ONLY_THESE}`, field: 'spec' }];
  },
};

const ONLY_THESE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** The spec without what an update may change. Tolerations may only be added to. */
function frozenPart(spec: Plain, old: Plain): Plain {
  const { activeDeadlineSeconds: _deadline, tolerations, ...rest } = spec;
  const withoutImages = (containers: unknown): unknown =>
    Array.isArray(containers) ? containers.map(({ image: _image, ...container }: Plain) => container) : containers;
  const kept = listOf(old.tolerations).filter((toleration) =>
    listOf(tolerations).some((one) => sameJson(one, toleration)),
  );
  return {
    ...rest,
    tolerations: kept,
    containers: withoutImages(rest.containers),
    initContainers: withoutImages(rest.initContainers),
  };
}

function validateContainers(spec: Plain): FieldCause[] {
  const causes: FieldCause[] = [];
  if (listOf(spec.containers).length === 0) {
    causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' });
  }
  const names = new Set<unknown>();
  for (const [list, containers] of [
    ['initContainers', listOf(spec.initContainers)],
    ['containers', listOf(spec.containers)],
  ] as const) {
    for (const [index, container] of containers.entries()) {
      const field = `spec.${list}[${index}]`;
      if (!container.image)
        causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `${field}.image` });
      if (!container.name)
        causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `${field}.name` });
      else if (names.has(container.name)) {
        causes.push({
          reason: 'FieldValueDuplicate',
          message: `Duplicate value: "${container.name}"`,
          field: `${field}.name`,
        });
      }
      names.add(container.name);
    }
  }
  return causes;
}

function validateMounts(spec: Plain): FieldCause[] {
  const volumes = new Set(listOf(spec.volumes).map((volume) => volume.name));
  const initCount = listOf(spec.initContainers).length;
  return containersOf(spec).flatMap((container, position) => {
    const path = position < initCount ? `spec.initContainers[${position}]` : `spec.containers[${position - initCount}]`;
    return listOf(container.volumeMounts).flatMap((mount, index) => {
      if (volumes.has(mount.name)) return [];
      return [
        {
          reason: 'FieldValueNotFound',
          message: `Not found: "${mount.name}"`,
          field: `${path}.volumeMounts[${index}].name`,
        },
      ];
    });
  });
}
