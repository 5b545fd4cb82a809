import {
  canonicalContainersJson,
  diffJson,
  isHotUpgrade,
  type SidecarContainer,
  type SidecarSet,
} from '@sidestep/core';
import { parseJson } from '@sidestep/kube';

/** What a change of one field means for pods that run already. */
export type ChangeEffect =
  | 'hotUpgrade'
  | 'coldUpgrade'
  | 'emptyImage'
  | 'blocks'
  | 'newPods'
  | 'selection'
  | 'rollout'
  | 'history';

/** One field that differs. */
export interface FieldChange {
  /** `spec.containers[mesh].image` */
  field: string;
  before: unknown;
  after: unknown;
  effect: ChangeEffect;
}

type Named = Record<string, unknown> & { name: string };
type Lists = Record<string, Named[] | null | undefined>;

const EMPTY_IMAGE = '/upgradeStrategy/hotUpgradeEmptyImage';

/**
 * Differences of the containers, in the form in which they are hashed: what is not hashed does not keep a pod from being upgraded.
 * Only images can change in a running pod (https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement).
 */
export function hashedChanges(before: SidecarSet, after: SidecarSet): FieldChange[] {
  const [old, wanted] = [hashedLists(before), hashedLists(after)];
  const lists = new Set([...Object.keys(old), ...Object.keys(wanted)]);
  const changes = [...lists].flatMap((list) => {
    const [from, to] = [old[list] ?? [], wanted[list] ?? []];
    const byName = [...from, ...to.filter(({ name }) => !from.some((one) => one.name === name))].flatMap(({ name }) =>
      containerChanges(
        `spec.${list}[${name}]`,
        from.find((one) => one.name === name),
        to.find((one) => one.name === name),
      ),
    );
    return byName.length > 0 ? byName : orderChange(list, from, to);
  });
  return changes;
}

const hashedLists = (set: SidecarSet): Lists => parseJson(canonicalContainersJson(set)) as Lists;

function containerChanges(path: string, before: Named | undefined, after: Named | undefined): FieldChange[] {
  if (before === undefined || after === undefined) {
    return [{ field: path, before: before && 'present', after: after && 'present', effect: 'blocks' }];
  }
  return diffJson(before, after).map(({ path: pointer }): FieldChange => {
    const [from, to] = [valueAt(before, pointer), valueAt(after, pointer)];
    return { field: path + fieldOf(pointer), before: from, after: to, effect: effectOf(pointer, after) };
  });
}

function effectOf(pointer: string, container: Named): ChangeEffect {
  const isHot = isHotUpgrade(container as unknown as SidecarContainer);
  if (pointer === '/image') return isHot ? 'hotUpgrade' : 'coldUpgrade';
  return pointer === EMPTY_IMAGE && isHot ? 'emptyImage' : 'blocks';
}

function orderChange(list: string, before: Named[], after: Named[]): FieldChange[] {
  const [from, to] = [before.map(({ name }) => name), after.map(({ name }) => name)];
  if (from.join() === to.join()) return [];
  return [{ field: `order of spec.${list}`, before: from, after: to, effect: 'blocks' }];
}

/** Reads what a JSON pointer names; undefined when it is not there. */
export function valueAt(value: unknown, pointer: string): unknown {
  const steps = pointer.split('/').slice(1).map(unescaped);
  return steps.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[step] : undefined),
    value,
  );
}

/** `/env/0/value` as people write it: `.env[0].value`. */
export const fieldOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${unescaped(step)}`))
    .join('');

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');
