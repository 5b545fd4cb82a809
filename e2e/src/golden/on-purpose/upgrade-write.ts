import { type Container, KRUISE, SIDESTEP } from '@sidestep/core';
import { isObject } from '../compare.js';
import { type Half, type HotPair, jsonMap } from './hot-pairs.js';

/** A write to a pod in the form in which two of them are compared. */
export interface UpgradeWrite {
  due: string;
  picked: boolean;
  annotations: Record<string, string>;
  containers: Container[];
}

export const isWrite = (answer: unknown): answer is UpgradeWrite =>
  isObject(answer) &&
  typeof answer.due === 'string' &&
  isObject(answer.annotations) &&
  Array.isArray(answer.containers);

const TIME = /"updateTimestamp":"[^"]+"/g;

/** A pod's annotations without Sidestep's own note and without times. */
export function comparableAnnotations(annotations: Record<string, string> | undefined): Record<string, string> {
  const { [SIDESTEP.upgrade]: _note, ...others } = annotations ?? {};
  const timeless = Object.entries(others).map(([key, value]) => [
    key,
    value.replace(TIME, '"updateTimestamp":"<time>"'),
  ]);
  return Object.fromEntries(timeless);
}

/** The write, had it also put this image into that container, and noted what ran there before. */
export function withImage(write: UpgradeWrite, set: string, half: Half, image: string | undefined): UpgradeWrite {
  const containers = write.containers.map((each) =>
    each.name === half.name && image !== undefined ? { ...each, image } : each,
  );
  const text = write.annotations[KRUISE.inPlaceUpdateState];
  if (text === undefined) return { ...write, containers };
  const states = jsonMap<{ lastContainerStatuses?: Record<string, object> }>(text);
  const before = { [half.name]: half.imageID ? { imageID: half.imageID } : {} };
  const lastContainerStatuses = sorted({ ...states[set]?.lastContainerStatuses, ...before });
  const state = { ...states[set], lastContainerStatuses };
  return {
    ...write,
    containers,
    annotations: withJson(write.annotations, KRUISE.inPlaceUpdateState, { ...states, [set]: state }),
  };
}

/** Go writes maps by key. */
const sorted = <T>(map: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The pointer of one hot sidecar moved to that container. */
export function withPointer({ annotations, ...write }: UpgradeWrite, { sidecar }: HotPair, to: Half): UpgradeWrite {
  const pointers = jsonMap<string>(annotations[KRUISE.workingHotContainer]);
  return {
    ...write,
    annotations: withJson(annotations, KRUISE.workingHotContainer, { ...pointers, [sidecar]: to.name }),
  };
}

/** One container emptied: its version is 0, and so is the peer's idea of it. */
export function withVersionsAtRest({ annotations, ...write }: UpgradeWrite, emptied: Half, peer: Half): UpgradeWrite {
  const versions = { [`${KRUISE.versionPrefix}${emptied.name}`]: '0', [`${KRUISE.versionAltPrefix}${peer.name}`]: '0' };
  return { ...write, annotations: { ...annotations, ...versions } };
}

/** A stamp of one SidecarSet with this hash, and the revision that it is of. */
export function withStamp(
  { annotations, ...write }: UpgradeWrite,
  key: string,
  set: string,
  stamp: { hash: string; controllerRevision?: string },
): UpgradeWrite {
  const records = jsonMap<object>(annotations[key]);
  return { ...write, annotations: withJson(annotations, key, { ...records, [set]: { ...records[set], ...stamp } }) };
}

const withJson = (annotations: Record<string, string>, key: string, value: object): Record<string, string> => ({
  ...annotations,
  [key]: JSON.stringify(value),
});
