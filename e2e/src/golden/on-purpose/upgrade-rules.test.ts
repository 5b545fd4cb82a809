import { describe, expect, test } from '@jest/globals';
import type { Pod } from '@sidestep/core';
import { judge } from '../judge.js';
import { aSet } from '../testing/recorded-case.js';
import type { CaseFacts } from './rule.js';
import { ON_PURPOSE } from './rules.js';
import { comparableAnnotations } from './upgrade-write.js';

const WORKING = 'kruise.io/sidecarset-working-hotupgrade-container';
const STATE = 'kruise.io/sidecarset-inplace-update-state';
const set = aSet('s', {
  containers: [{ name: 'm', image: 'm:1', upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e' } }],
});

interface Look {
  images: [string, string];
  working: 'm-1' | 'm-2';
  ready?: boolean;
  versions?: [string, string, string, string];
  state?: object;
}

function hotPod({ images, working, ready = true, versions = ['1', '5', '5', '1'], state = {} }: Look): Pod {
  const [version1, version2, alt1, alt2] = versions;
  const annotations = {
    [WORKING]: JSON.stringify({ m: working }),
    [STATE]: JSON.stringify({ s: { revision: 'r', lastContainerStatuses: state } }),
    'version.sidecarset.kruise.io/m-1': version1,
    'version.sidecarset.kruise.io/m-2': version2,
    'versionalt.sidecarset.kruise.io/m-1': alt1,
    'versionalt.sidecarset.kruise.io/m-2': alt2,
  };
  const names = ['m-1', 'm-2'];
  const statuses = names.map((name) => ({ name, imageID: `id-${name}`, ready: name === working ? ready : true }));
  return {
    metadata: { annotations },
    spec: { containers: names.map((name, index) => ({ name, image: images[index]! })) },
    status: { containerStatuses: statuses },
  } as unknown as Pod;
}

const written = (due: string, pod: Pod, picked = true) => ({
  due,
  picked,
  annotations: comparableAnnotations(pod.metadata.annotations),
  containers: pod.spec.containers,
});

function verdict(expected: unknown, actual: unknown, facts: Partial<CaseFacts>) {
  const judged = judge({ comparison: { subject: 'x', expected, actual }, facts: { writes: [], ...facts } }, ON_PURPOSE);
  return { left: judged.differences.map(({ path }) => path), rules: judged.onPurpose };
}

const upgradeOf = (before: Pod, reason = 'x') => ({ upgrade: { before, set, reason, picked: true } });
const explained = (...rules: string[]) => ({ left: [], rules });

describe('a spec that goes back aborts the pod', () => {
  const before = hotPod({ images: ['m:1', 'm:2'], working: 'm-2', ready: false });
  const theirs = written('upgrade', before);
  const ours = hotPod({
    images: ['m:1', 'e'],
    working: 'm-1',
    versions: ['1', '0', '0', '1'],
    state: { 'm-2': { imageID: 'id-m-2' } },
  });

  test('while the new container fails', () => {
    expect(verdict(theirs, written('abort', ours), upgradeOf(before))).toEqual(
      explained('a spec that goes back aborts the pod'),
    );
  });

  test.each([
    ['the pointer stays', hotPod({ images: ['m:1', 'e'], working: 'm-2', versions: ['1', '0', '0', '1'] })],
    ['a version stays', hotPod({ images: ['m:1', 'e'], working: 'm-1', versions: ['1', '5', '0', '1'] })],
    [
      'the old container is the one emptied',
      hotPod({ images: ['e', 'm:2'], working: 'm-1', versions: ['1', '0', '0', '1'] }),
    ],
  ])('but not when %s', (_, wrong) => {
    expect(verdict(theirs, written('abort', wrong), upgradeOf(before)).left).not.toEqual([]);
  });

  test('and not once the new container is ready', () => {
    const ready = hotPod({ images: ['m:1', 'm:2'], working: 'm-2' });
    expect(verdict(written('upgrade', ready), written('abort', ours), upgradeOf(ready)).left).not.toEqual([]);
  });
});

describe('a pod that has migrated is reset before it goes back', () => {
  const before = hotPod({ images: ['m:1', 'm:2'], working: 'm-2' });
  const theirs = written('upgrade', hotPod({ images: ['m:1', 'm:2'], working: 'm-1', versions: ['9', '5', '5', '9'] }));
  const reset = (images: [string, string]) =>
    hotPod({ images, working: 'm-2', versions: ['0', '5', '5', '0'], state: { 'm-1': { imageID: 'id-m-1' } } });

  test('whatever OpenKruise wrote', () => {
    expect(verdict(theirs, written('reset', reset(['e', 'm:2'])), upgradeOf(before))).toEqual(
      explained('a pod that has migrated is reset before it goes back'),
    );
  });

  test('but it is the old container that is emptied', () => {
    expect(verdict(theirs, written('reset', reset(['m:1', 'e'])), upgradeOf(before)).left).not.toEqual([]);
  });
});

describe('an image given by digest gets a tag per generation', () => {
  const images = (image: string) => ({
    due: 'reset',
    picked: true,
    annotations: {},
    containers: [{ name: 'm-1', image }],
  });

  test('on the same digest, and on no other', () => {
    const rule = 'an image given by digest gets a tag per generation';
    expect(verdict(images('e@sha256:1'), images('e:g7@sha256:1'), {})).toEqual(explained(rule));
    expect(verdict(images('e@sha256:1'), images('e:g7@sha256:2'), {}).left).not.toEqual([]);
    expect(verdict(images('e@sha256:1'), images('e:latest@sha256:1'), {}).left).not.toEqual([]);
  });
});

describe('back-off is foreseen', () => {
  const restarted = (count: number): Pod => {
    const pod = hotPod({ images: ['m:1', 'e'], working: 'm-1' });
    return { ...pod, status: { containerStatuses: [{ name: 'm-2', restartCount: count }] } } as unknown as Pod;
  };
  const theirs = written('upgrade', hotPod({ images: ['m:1', 'm:2'], working: 'm-2' }));

  test('so that nothing is written yet', () => {
    const before = restarted(2);
    const ours = written('none', before);
    expect(verdict(theirs, ours, upgradeOf(before, 'BackOffExpected'))).toEqual(explained('back-off is foreseen'));
    expect(verdict(theirs, ours, upgradeOf(before, 'Other')).left).not.toEqual([]);
    expect(
      verdict(
        theirs,
        written('none', hotPod({ images: ['m:1', 'm:9'], working: 'm-1' })),
        upgradeOf(before, 'BackOffExpected'),
      ).left,
    ).not.toEqual([]);
    expect(verdict(theirs, written('none', restarted(0)), upgradeOf(restarted(0), 'BackOffExpected')).left).not.toEqual(
      [],
    );
  });
});

describe('a pod whose new container took over is reset', () => {
  const paused = { ...set, spec: { ...set.spec, updateStrategy: { paused: true } } };
  const open = hotPod({ images: ['m:0', 'm:1'], working: 'm-2' });
  const left = (jobs: string[], before: Pod, held = paused) =>
    verdict({ jobs: [] }, { jobs }, { upgrade: { before, set: held, reason: 'x', picked: true } });

  test('though the set is paused', () => {
    expect(left(['reset'], open)).toEqual(explained('a pod whose new container took over is reset'));
  });

  test('but not before it took over, nor when nothing holds OpenKruise back, and nothing else is done', () => {
    expect(left(['reset'], hotPod({ images: ['m:0', 'm:1'], working: 'm-2', ready: false })).left).not.toEqual([]);
    expect(left(['reset'], open, set as typeof paused).left).not.toEqual([]);
    expect(left(['upgrade'], open).left).not.toEqual([]);
  });
});
