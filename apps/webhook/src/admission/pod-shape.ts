import { isObject } from './review.js';

const NAMED_LISTS = ['containers', 'initContainers', 'volumes', 'imagePullSecrets'] as const;

/**
 * Says what makes an object unreadable as a Pod; `undefined` when it is well formed as far as injection reads it. API servers
 * only send well-formed pods; others may not, and a patch on top of nonsense would be nonsense.
 */
export function podShapeProblem(object: unknown): string | undefined {
  if (!isObject(object)) return 'the request has no object';
  const { metadata, spec, status } = object;
  if (!isObject(metadata)) return 'metadata is not an object';
  if (!isTextMap(metadata.labels)) return 'metadata.labels is not a map of strings';
  if (!isTextMap(metadata.annotations)) return 'metadata.annotations is not a map of strings';
  if (!isObject(spec)) return 'spec is not an object';
  if (!Array.isArray(spec.containers)) return 'spec.containers is not a list';
  if (!isAbsent(status) && !isObject(status)) return 'status is not an object';
  for (const list of NAMED_LISTS) {
    const problem = listProblem(spec[list]);
    if (problem) return `spec.${list} ${problem}`;
  }
  return undefined;
}

function listProblem(list: unknown): string | undefined {
  if (isAbsent(list)) return undefined;
  if (!Array.isArray(list)) return 'is not a list';
  for (const element of list) {
    if (!isObject(element)) return 'has an element that is not an object';
    for (const inner of ['env', 'volumeMounts', 'volumeDevices']) {
      const value = element[inner];
      if (isAbsent(value)) continue;
      if (!Array.isArray(value) || !value.every(isObject))
        return `has an element whose ${inner} is not a list of objects`;
    }
  }
  return undefined;
}

function isTextMap(value: unknown): boolean {
  if (isAbsent(value)) return true;
  if (!isObject(value)) return false;
  for (const key in value) if (typeof value[key] !== 'string') return false;
  return true;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
