import { describe, expect, test } from '@jest/globals';
import { KRUISE, type Pod } from '@sidestep/core';
import { EMPTY_IMAGE } from '../world/scenario.js';
import { PodHistory } from './pod-history.js';

interface Look {
  first: string;
  second: string;
  working: 1 | 2;
  versions: [number, number];
  name?: string;
  uid?: string;
}

const podOf = ({ first, second, working, versions, name = 'pod-1', uid = `uid-of-${name}` }: Look): Pod => ({
  metadata: {
    name,
    uid,
    annotations: {
      [KRUISE.workingHotContainer]: JSON.stringify({ mesh: `mesh-${working}` }),
      [`${KRUISE.versionPrefix}mesh-1`]: String(versions[0]),
      [`${KRUISE.versionPrefix}mesh-2`]: String(versions[1]),
    },
  },
  spec: {
    containers: [
      { name: 'app', image: 'app:1' },
      { name: 'mesh-1', image: first },
      { name: 'mesh-2', image: second },
    ],
  },
});

const readyPodOf = (look: Look): Pod => ({
  ...podOf(look),
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

const EMPTY = EMPTY_IMAGE;
const idle: Look = { first: 'mesh:v1', second: EMPTY, working: 1, versions: [1, 0] };
const begun: Look = { first: 'mesh:v1', second: 'mesh:v2', working: 2, versions: [1, 7] };
const done: Look = { first: EMPTY, second: 'mesh:v2', working: 2, versions: [0, 7] };
const begunAgain: Look = { first: 'mesh:v3', second: 'mesh:v2', working: 1, versions: [8, 7] };

const breachesOf = (looks: Look[], budget = 1): string[] => {
  const history = new PodHistory('mesh', budget);
  for (const look of looks) history.observe(podOf(look));
  return history.breaches;
};

describe('the history of a pod', () => {
  test.each<[string, Look[]]>([
    ['an upgrade, and the next one', [idle, begun, done, begunAgain]],
    ['an upgrade that is aborted', [idle, begun, idle]],
    ['another image while the new one starts', [idle, begun, { ...begun, second: 'mesh:v3' }]],
    ['another image after the new one took over', [idle, begun, begunAgain]],
    ['another pod under the same name', [begun, { ...idle, uid: 'other' }]],
    ['an empty image with a tag per generation', [idle, begun, { ...done, first: EMPTY.replace(':1@', ':1-g2@') }]],
  ])('is in order with %s', (_, looks) => {
    expect(breachesOf(looks)).toEqual([]);
  });

  test.each<[string, Look[], string]>([
    ['a pointer to the empty container', [idle, { ...idle, working: 2 }], 'which is empty'],
    ['both containers changed by one write', [idle, { ...begun, first: 'mesh:v9' }], 'changed both containers'],
    ['the same image begun a second time', [done, { ...begunAgain, first: 'mesh:v2' }], 'its peer runs already'],
    [
      'a container begun that the pointer does not name',
      [idle, { ...begun, working: 1 }],
      'but the pointer names mesh-1',
    ],
    [
      'a version that does not rise',
      [
        { ...idle, versions: [7, 0] },
        { ...begun, versions: [7, 7] },
      ],
      'not above 7',
    ],
    ['a pointer that wanders', [begun, { ...begun, working: 1 }], 'no image changed'],
    [
      'more pods begun than the budget',
      [begun, { ...begun, name: 'pod-2' }],
      '2 pods are begun at once, 1 may be: pod-1, pod-2',
    ],
  ])('is not with %s', (_, looks, breach) => {
    expect(breachesOf(looks)).toEqual(expect.arrayContaining([expect.stringContaining(breach)]));
  });

  test('takes two writes for two when it could not see the first', () => {
    const history = new PodHistory('mesh', 1);
    for (const name of ['pod-1', 'pod-2']) history.observe(podOf({ ...idle, name }));
    history.observe(podOf({ ...begun, name: 'pod-1' }));
    history.lookAway();
    // In the list the pod that was begun second comes before the one that was done meanwhile.
    history.observe(podOf({ ...begun, name: 'pod-2' }));
    history.observe(podOf({ ...done, name: 'pod-1' }));
    history.lookBack();
    expect(history.breaches).toEqual([]);
    history.observe(podOf({ ...begunAgain, first: 'mesh:v2', name: 'pod-1' }));
    expect(history.breaches).toEqual(['pod-1: mesh-1 was begun with mesh:v2, which its peer runs already']);
  });

  test('counts the pods that were begun before it looked away', () => {
    const history = new PodHistory('mesh', 1);
    for (const name of ['pod-1', 'pod-2']) history.observe(readyPodOf({ ...idle, name }));
    history.observe(readyPodOf({ ...begun, name: 'pod-1' }));
    history.lookAway();
    history.lookBack();
    history.observe(readyPodOf({ ...begun, name: 'pod-2' }));
    expect(history.breaches).toEqual(['pod-2: 2 pods are begun at once, 1 may be: pod-1, pod-2']);
  });

  test('takes nothing of the budget for what was begun unseen: a new pod, or a pod that was done and begun again', () => {
    const history = new PodHistory('mesh', 1);
    history.observe(readyPodOf({ ...idle, name: 'pod-1' }));
    history.observe(readyPodOf({ ...begun, name: 'pod-1' }));
    history.lookAway();
    history.observe(readyPodOf({ ...begunAgain, name: 'pod-1' }));
    history.observe(readyPodOf({ ...begun, name: 'pod-2' }));
    history.observe(readyPodOf({ ...begun, name: 'pod-3' }));
    history.lookBack();
    expect(history.breaches).toEqual([]);
  });
});
