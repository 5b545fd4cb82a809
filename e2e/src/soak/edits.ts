import { SIDESTEP } from '@sidestep/core';
import type { Crowd } from './crowd.js';
import type { Random } from './random.js';

/** What people and controllers do to a SidecarSet and its pods. */
export interface Edit {
  name: string;
  run(crowd: Crowd, random: Random): Promise<void>;
}

let versions = 1;
/** Never the same twice, for the kubelet's back-off goes by image. */
export const freshImage = (): string => {
  versions += 1;
  return `mesh:v${versions}`;
};

const change: Edit = { name: 'another image', run: (crowd) => crowd.setImage(freshImage()) };

const churn: Edit = {
  name: 'pods are replaced',
  run: async (crowd, random) => {
    for (let count = random.between(1, 4); count > 0; count -= 1) await crowd.replacePod(random.pick(crowd.pods));
  },
};

/** The frequent ones stand here more than once. */
export const EDITS: readonly Edit[] = [
  change,
  change,
  churn,
  churn,
  {
    name: 'an image that cannot be pulled',
    run: (crowd) => crowd.setImage(freshImage().replace(':', ':bad-')),
  },
  { name: 'back to the image before', run: (crowd) => crowd.setImage(crowd.images.at(-2) ?? freshImage()) },
  { name: 'paused', run: (crowd) => crowd.setStrategy('paused', true) },
  { name: 'resumed', run: (crowd) => crowd.setStrategy('paused', false) },
  {
    name: 'another partition',
    run: (crowd, random) => crowd.setStrategy('partition', `${random.between(0, 10) * 10}%`),
  },
  {
    name: 'aborted',
    run: (crowd) => crowd.annotate(SIDESTEP.abort, crowd.set.status?.latestRevision ?? null),
  },
  {
    name: 'retried',
    run: async (crowd, random) => {
      await crowd.annotate(SIDESTEP.abort, null);
      await crowd.annotate(SIDESTEP.retry, String(random.between(1, 1_000_000)));
    },
  },
];

/** A state in which a rollout must end, whatever came before. */
export const settle = async (crowd: Crowd): Promise<string> => {
  const image = freshImage();
  await crowd.annotate(SIDESTEP.abort, null);
  await crowd.setStrategy('paused', false);
  await crowd.setStrategy('partition', 0);
  await crowd.setImage(image);
  return image;
};
