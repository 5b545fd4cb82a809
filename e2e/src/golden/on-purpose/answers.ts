import { type Container, hotPairNames, KRUISE, type Pod, type SidecarSet } from '@sidestep/core';
import { isObject } from '../compare.js';
import type { RecordedRevision } from '../golden-case.js';
import type { CaseFacts, RecordedWrite } from './rule.js';

/** A SidecarSet that was taken. */
export interface AcceptedWrite {
  status: number;
  stored?: { v1beta1?: SidecarSet; v1alpha1?: SidecarSet };
  controllerRevisions?: RecordedRevision[];
}

/** A SidecarSet that was not. */
export interface RefusedWrite {
  status: number;
  message: string;
}

/** A pod that was let in. */
export interface AdmittedPod {
  allowed: true;
  patched: Pod;
}

/** A pod that was refused, by a webhook or by the API server. */
export interface RefusedPod {
  allowed: false;
  status: { message: string; code: number };
}

export const isAccepted = (answer: unknown): answer is AcceptedWrite =>
  isObject(answer) && typeof answer.status === 'number' && answer.status < 300 && !('message' in answer);

export const isRefusedWrite = (answer: unknown): answer is RefusedWrite =>
  isObject(answer) && typeof answer.status === 'number' && typeof answer.message === 'string';

export const isAdmitted = (answer: unknown): answer is AdmittedPod =>
  isObject(answer) && answer.allowed === true && isObject(answer.patched) && isObject(answer.patched.spec);

export const isRefusedPod = (answer: unknown): answer is RefusedPod =>
  isObject(answer) && answer.allowed === false && isObject(answer.status);

const ERROR =
  /, (?=[a-zA-Z][\w.[\]]*: (?:Invalid value|Required value|Unsupported value|Duplicate value|Not found|Forbidden|Too ))/;

/** The field errors that a message is made of. */
export const errorsIn = (message: string): string[] => message.replace(/^\[([\s\S]*)\]$/, '$1').split(ERROR);

/** The message of field errors, as an aggregate of them is printed. */
export const messageOf = (errors: readonly string[]): string =>
  errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;

/** The names that a sidecar of a set has in a pod. */
export const namesInPod = ({ name }: { name: string }): string[] => [name, ...hotPairNames(name)];

/** The containers and init containers of a set. */
export const containersOf = ({ spec }: SidecarSet) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];

/** The last accepted write of each SidecarSet that a pod bears a record of, in the order of their names. */
export function setsIn(pod: Pod, { writes }: CaseFacts): Required<RecordedWrite>[] {
  const names = recordsOf(pod, KRUISE.hash);
  const taken = writes.filter((write): write is Required<RecordedWrite> => isAccepted(write.recorded));
  const last = new Map(taken.map((write) => [write.posted.metadata.name ?? '', write]));
  return [...last]
    .filter(([name]) => name in names)
    .sort(byName)
    .map(([, write]) => write);
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** A pod's records by SidecarSet, in whichever form they are compared. */
export function recordsOf(
  { metadata }: Pod,
  key: typeof KRUISE.hash | typeof KRUISE.hashWithoutImage,
): Record<string, { hash?: string; controllerRevision?: string }> {
  const held: unknown = metadata.annotations?.[key];
  if (isObject(held)) return held as ReturnType<typeof recordsOf>;
  try {
    return JSON.parse(String(held)) as ReturnType<typeof recordsOf>;
  } catch {
    return {};
  }
}

/** The answer with both lists of containers passed through `change`. */
export function withContainers(answer: AdmittedPod, change: (container: Container) => Container): AdmittedPod {
  const { spec } = answer.patched;
  const init = spec.initContainers ? { initContainers: spec.initContainers.map(change) } : {};
  return withSpec(answer, { containers: spec.containers.map(change), ...init });
}

export function withSpec(answer: AdmittedPod, changed: Partial<Pod['spec']>): AdmittedPod {
  return { ...answer, patched: { ...answer.patched, spec: { ...answer.patched.spec, ...changed } } };
}

/** Whether a container of the pod is one that these SidecarSets put there. */
export function isSidecarOf(sets: readonly RecordedWrite[], container: Container): boolean {
  return sets.some(({ posted }) => containersOf(posted).some((each) => namesInPod(each).includes(container.name)));
}
