import {
  type Container,
  type ControllerRevision,
  hotPairNames,
  isHotUpgrade,
  KRUISE,
  type Pod,
  type SidecarSet,
} from '@sidestep/core';
import { isObject } from '../compare.js';
import { hashOf } from '../trace-world.js';
import type { OnPurpose } from './rule.js';

interface HotState {
  working: { name: string; image: string | undefined };
  idle: { name: string; image: string | undefined };
  wanted: { image: string | undefined; emptyImage: string | undefined };
}

export const rollbackAborts: OnPurpose = {
  name: 'a spec that goes back aborts the pod',
  sentence:
    'When the spec goes back while the new container fails, the pod returns to the old container in one write; OpenKruise only stamps it.',
  adjust: ({ actual }, { write }) => {
    if (write === undefined) return undefined;
    const before = hotStates(write.before, write.set);
    const isStuck = before.some(
      ({ working, idle, wanted }) => working.image !== wanted.image && idle.image === wanted.image,
    );
    return isStuck && isIdleOn(write.ours, write.set) ? actual : undefined;
  },
};

export const emptyImageIsAnUpgrade: OnPurpose = {
  name: 'a changed empty image is an upgrade like any other',
  sentence:
    'It is picked and budgeted and stamps both hashes, and the working container is not touched; OpenKruise rewrites every pod at once.',
  adjust: ({ expected, actual }, { write, trace }) => {
    if (trace === undefined || !isEmptyImageChange(trace.revisions)) return undefined;
    // What OpenKruise says of the pods that it rewrote and left behind.
    if (write === undefined) return SAID_OF_THEM.test(JSON.stringify(expected)) ? actual : undefined;
    const before = hotStates(write.before, write.set);
    const keepsWorking = hotStates(write.ours, write.set).every(({ working }, index) => {
      const was = before[index]?.working;
      return working.name === was?.name && working.image === was.image;
    });
    return keepsWorking && isIdleOn(write.ours, write.set) ? actual : undefined;
  },
};

const SAID_OF_THEM = /"reason":"(?:UpdateImmutableField|NotUpgradablePods|ResetContainerSucceed)"/;

/** Whether the last edit of the SidecarSet changed empty images and nothing else. */
function isEmptyImageChange(revisions: readonly ControllerRevision[]): boolean {
  const [before, after] = revisions.slice(-2).map(({ data }) => {
    return JSON.stringify(data, (key, value) => (key === 'hotUpgradeEmptyImage' ? '' : value));
  });
  return before !== undefined && before === after;
}

export const resetComesFirst: OnPurpose = {
  name: 'a pod that has migrated is reset before it goes back',
  sentence:
    'When the spec goes back after the new container took over, the reset is finished first; OpenKruise points back at a container that no longer listens.',
  adjust: ({ actual }, { write }) => {
    if (write === undefined || !isObject(actual) || actual.due !== 'reset') return undefined;
    const before = hotStates(write.before, write.set);
    const after = hotStates(write.ours, write.set);
    const wentBack = before.some(
      ({ working, idle, wanted }) => working.image !== wanted.image && idle.image === wanted.image,
    );
    const isReset = after.every(({ working, idle, wanted }, index) => {
      return idle.image === wanted.emptyImage && working.image === before[index]?.working.image;
    });
    return wentBack && isReset ? actual : undefined;
  },
};

const GENERATION = /:g\d+@sha256:/;

export const generationTags: OnPurpose = {
  name: 'an image given by digest gets a tag per generation',
  sentence:
    'The kubelet counts its back-off by the text of the image: a new tag on the same digest keeps a serving pod ready.',
  adjust: ({ expected, actual }) => {
    if (!isObject(expected) || !isObject(actual)) return undefined;
    if (!Array.isArray(expected.containers) || !Array.isArray(actual.containers)) return undefined;
    const ours = actual.containers as Container[];
    const containers = (expected.containers as Container[]).map((container, index) => {
      const image = ours[index]?.image;
      return image?.replace(GENERATION, '@sha256:') === container.image ? { ...container, image } : container;
    });
    return { ...expected, containers };
  },
};

export const backOffIsForeseen: OnPurpose = {
  name: 'back-off is foreseen',
  sentence:
    'Where the kubelet would hold a container back, the write waits until it does not; OpenKruise makes a serving pod unready.',
  adjust: ({ actual }, { write }) => (write?.reason === 'BackOffExpected' ? actual : undefined),
};

/** Idle on the spec's image: the working container runs it, the other is empty, and both hashes say so. */
function isIdleOn(pod: Pod, set: SidecarSet): boolean {
  const isIdle = hotStates(pod, set).every(({ working, idle, wanted }) => {
    return working.image === wanted.image && idle.image === wanted.emptyImage;
  });
  const keys = [KRUISE.hash, KRUISE.hashWithoutImage] as const;
  const name = set.metadata.name ?? '';
  return isIdle && keys.every((key) => hashOf(pod, name, key) === set.metadata.annotations?.[key]);
}

function hotStates(pod: Pod, { spec }: SidecarSet): HotState[] {
  const working = JSON.parse(pod.metadata.annotations?.[KRUISE.workingHotContainer] ?? '{}') as Record<string, string>;
  return (spec.containers ?? []).filter(isHotUpgrade).map(({ name, image, upgradeStrategy }) => {
    const [first, second] = hotPairNames(name);
    const inUse = working[name] ?? first;
    const find = (wanted: string) => ({
      name: wanted,
      image: pod.spec.containers.find((container) => container.name === wanted)?.image,
    });
    const wanted = { image, emptyImage: upgradeStrategy?.hotUpgradeEmptyImage };
    return { working: find(inUse), idle: find(inUse === first ? second : first), wanted };
  });
}
