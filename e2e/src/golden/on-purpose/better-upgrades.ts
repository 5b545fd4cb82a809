import { type Container, type ControllerRevision, KRUISE, type Pod, type SidecarSet } from '@sidestep/core';
import { differences, isObject } from '../compare.js';
import { namesInPod } from './answers.js';
import { hasGoneBack, hotPairsOf } from './hot-pairs.js';
import type { CaseFacts, OnPurpose } from './rule.js';
import {
  comparableAnnotations,
  isWrite,
  type UpgradeWrite,
  withImage,
  withPointer,
  withStamp,
  withVersionsAtRest,
} from './upgrade-write.js';

type Upgrade = NonNullable<CaseFacts['upgrade']>;

export const rollbackAborts: OnPurpose = {
  name: 'a spec that goes back aborts the pod',
  sentence:
    'When the spec goes back while the new container fails, the pod returns to the old container in one write; OpenKruise only stamps it.',
  adjust: ({ expected }, { upgrade }) => {
    if (upgrade === undefined || !isWrite(expected) || expected.due !== 'upgrade' || expected.picked !== true)
      return undefined;
    const pairs = hotPairsOf(upgrade.before, upgrade.set).filter(hasGoneBack);
    if (
      pairs.length === 0 ||
      !leavesPairs(expected, upgrade.before) ||
      pairs.some(({ working }) => isReady(upgrade.before, working.name))
    )
      return undefined;
    return pairs.reduce<UpgradeWrite>(
      (write, pair) => {
        const emptied = withImage(write, nameOf(upgrade), pair.working, pair.wanted.emptyImage);
        return withPointer(withVersionsAtRest(emptied, pair.working, pair.other), pair, pair.other);
      },
      { ...expected, due: 'abort' },
    );
  },
};

/** OpenKruise touches nothing of the pairs: neither what runs in them, nor what their annotations say. */
function leavesPairs({ annotations, containers }: UpgradeWrite, before: Pod): boolean {
  const about = (held: Record<string, string> = {}) =>
    Object.entries(held).filter(([key]) => PAIR_KEYS.some((prefix) => key.startsWith(prefix)));
  const was = before.spec.containers.filter(({ name }) => /-[12]$/.test(name));
  const is = containers.filter(({ name }) => /-[12]$/.test(name));
  const said = [about(annotations), about(before.metadata.annotations)].map((held) => Object.fromEntries(held));
  return differences(was, is).length === 0 && differences(said[0], said[1]).length === 0;
}
const PAIR_KEYS = [KRUISE.workingHotContainer, KRUISE.versionPrefix, KRUISE.versionAltPrefix];

const nameOf = ({ set }: Upgrade): string => set.metadata.name ?? '';

const isReady = (pod: Pod, container: string): boolean =>
  pod.status?.containerStatuses?.find(({ name }) => name === container)?.ready === true;

export const resetComesFirst: OnPurpose = {
  name: 'a pod that has migrated is reset before it goes back',
  sentence:
    'When the spec goes back after the new container took over, the reset is finished first; OpenKruise points back at a container that no longer listens.',
  adjust: ({ expected }, { upgrade }) => {
    if (upgrade === undefined || !isWrite(expected) || expected.due !== 'upgrade' || expected.picked !== true)
      return undefined;
    const { before, set } = upgrade;
    const pairs = hotPairsOf(before, set).filter(({ wanted, other }) => other.image !== wanted.emptyImage);
    const isMigrated = pairs.every(({ working }) => isReady(before, working.name));
    if (!isMigrated || !pairs.some(hasGoneBack)) return undefined;
    return pairs.reduce<UpgradeWrite>(
      (write, { working, other, wanted }) =>
        withVersionsAtRest(withImage(write, nameOf(upgrade), other, wanted.emptyImage), other, working),
      { ...unwritten(upgrade), due: 'reset', picked: true },
    );
  },
};

/** The pod as it stands, had nobody written. */
function unwritten({ before }: Upgrade): UpgradeWrite {
  const annotations = comparableAnnotations(before.metadata.annotations);
  return { due: 'none', picked: false, annotations, containers: before.spec.containers };
}

export const emptyImageIsAnUpgrade: OnPurpose = {
  name: 'a changed empty image is an upgrade like any other',
  sentence:
    'It is picked and budgeted and stamps both hashes, and the working container is not touched; OpenKruise rewrites every pod at once.',
  adjust: ({ expected }, { upgrade, trace }) => {
    if (trace === undefined || !isEmptyImageChange(trace.revisions)) return undefined;
    if (upgrade === undefined) return saidOtherwise(expected, trace.set);
    const isIdle = hotPairsOf(upgrade.before, upgrade.set).every(
      ({ working, wanted }) => working.image === wanted.image,
    );
    if (!isIdle || !isWrite(expected) || expected.due !== 'reset' || expected.picked !== true) return undefined;
    const { annotations = {} } = trace.set.metadata;
    const stamp = { hash: annotations[KRUISE.hash] ?? '', controllerRevision: trace.set.status?.latestRevision ?? '' };
    const bare = { hash: annotations[KRUISE.hashWithoutImage] ?? '' };
    const stamped = withStamp(expected, KRUISE.hash, nameOf(upgrade), stamp);
    const picked = upgrade.picked && mayPick(trace.set);
    return { ...withStamp(stamped, KRUISE.hashWithoutImage, nameOf(upgrade), bare), due: 'upgrade', picked };
  },
};

/** Whether the strategy lets any pod be begun at all. */
function mayPick({ spec, status }: SidecarSet): boolean {
  const { partition = 0, paused, type } = spec.updateStrategy ?? {};
  const isHeld = partition === '100%' || (typeof partition === 'number' && partition >= (status?.matchedPods ?? 0));
  return !isHeld && paused !== true && type !== 'NotUpdate';
}

/** Whether the last edit of the SidecarSet changed empty images and nothing else. */
function isEmptyImageChange(revisions: readonly ControllerRevision[]): boolean {
  const [before, after] = revisions.slice(-2).map(({ data }) => {
    return JSON.stringify(data, (key, value) => (key === 'hotUpgradeEmptyImage' ? '' : value));
  });
  return before !== undefined && before === after;
}

const NOT_UPGRADABLE =
  /^SidecarSet in-place update detected \d+ not upgradable pod\(s\) in this round, will skip them\.$/;

const isResetSuccess = (event: unknown): boolean =>
  differences(event, {
    reason: 'ResetContainerSucceed',
    type: 'Normal',
    message: 'reset sidecar container image empty successfully',
  }).length === 0;

const isNotUpgradable = ({ reason, type, message }: Record<string, unknown>): boolean =>
  reason === 'NotUpgradablePods' && type === 'Normal' && NOT_UPGRADABLE.test(String(message));

/** What OpenKruise says of pods that it rewrote and left behind; they stay upgradable, and none was reset. */
function saidOtherwise(expected: unknown, { metadata }: SidecarSet): unknown {
  if (Array.isArray(expected)) return expected.filter((event) => !isResetSuccess(event));
  if (!isObject(expected)) return undefined;
  if (isNotUpgradable(expected)) return null;
  const message = JSON.stringify({ [metadata.name ?? '']: false });
  if (expected.status !== 'False' || expected.reason !== 'UpdateImmutableField' || expected.message !== message) {
    return undefined;
  }
  const upgradable = JSON.stringify({ [metadata.name ?? '']: true });
  return { status: 'True', reason: 'AllSidecarsetUpgradable', message: upgradable };
}

export const begunIsFinished: OnPurpose = {
  name: 'a pod whose new container took over is reset',
  sentence:
    'Neither a pause nor a container that was unready before keeps two live sidecars in a pod; OpenKruise waits with the reset.',
  adjust: ({ expected }, { upgrade }) => {
    if (upgrade === undefined || !isObject(expected) || !Array.isArray(expected.jobs)) return undefined;
    const { before, set } = upgrade;
    const pairs = hotPairsOf(before, set);
    const hasTakenOver = pairs.every(
      ({ working, wanted }) => working.image === wanted.image && isReady(before, working.name),
    );
    const isOpen = pairs.some(({ other, wanted }) => other.image !== wanted.emptyImage);
    const isHeldThere = set.spec.updateStrategy?.paused === true || hasUnreadyApp(before, set);
    return hasTakenOver && isOpen && isHeldThere && expected.jobs.length === 0 ? { jobs: ['reset'] } : undefined;
  },
};

function hasUnreadyApp(pod: Pod, { spec }: SidecarSet): boolean {
  const sidecars = new Set((spec.containers ?? []).flatMap(namesInPod));
  const own = pod.spec.containers.filter(({ name }) => !sidecars.has(name));
  return own.some(({ name }) => !isReady(pod, name));
}

const GENERATION = /:g[1-9]\d*@sha256:/;

export const generationTags: OnPurpose = {
  name: 'an image given by digest gets a tag per generation',
  sentence:
    'The kubelet counts its back-off by the text of the image: a new tag on the same digest keeps a serving pod ready.',
  adjust: ({ expected, actual }) => {
    if (!isWrite(expected) || !isWrite(actual)) return undefined;
    const containers = expected.containers.map((container, index): Container => {
      const image = actual.containers[index]?.image;
      return image?.replace(GENERATION, '@sha256:') === container.image
        ? { ...container, image: image ?? '' }
        : container;
    });
    return { ...expected, containers };
  },
};

export const backOffIsForeseen: OnPurpose = {
  name: 'back-off is foreseen',
  sentence:
    'Where the kubelet would hold a container back, the write waits until it does not; OpenKruise makes a serving pod unready.',
  adjust: ({ expected }, { upgrade }) =>
    isWrite(expected) && upgrade?.reason === 'BackOffExpected' && hasRestarted(upgrade.before)
      ? { ...unwritten(upgrade), picked: upgrade.picked }
      : undefined,
};

const hasRestarted = (pod: Pod): boolean =>
  (pod.status?.containerStatuses ?? []).some(({ restartCount = 0 }) => restartCount > 0);
