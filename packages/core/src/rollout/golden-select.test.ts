/** Which pods the real OpenKruise 1.9 picked, and in which order. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { KRUISE } from '../api/keys.js';
import type { Pod, PodCondition } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { decideRollout } from './decide-rollout.js';

interface SelectCase {
  name: string;
  sidecarSet: SidecarSet;
  newImage: string;
  podsBefore?: { name: string; labels: Record<string, string>; creationTimestamp: string; ready: PodCondition }[];
  expected: { patchedInOrder: string[]; status: { matchedPods: number } };
}

const FOLDER = fileURLToPath(new URL('../../../../testdata/golden/open', import.meta.url));
const cases = readdirSync(FOLDER)
  .filter((file) => file.startsWith('select-'))
  .map((file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as SelectCase)
  .filter((each) => each.podsBefore !== undefined);

describe('pods are picked as OpenKruise 1.9 picks them', () => {
  test('there are cases to compare with', () => {
    expect(cases.length).toBeGreaterThanOrEqual(11);
  });
  test.each(cases.map((each) => [each.name, each] as const))(
    '%s',
    (_, { sidecarSet, podsBefore = [], newImage, expected }) => {
      const set: SidecarSet = structuredClone(sidecarSet);
      set.metadata.annotations = { [KRUISE.hash]: 'new', [KRUISE.hashWithoutImage]: 'same' };
      for (const container of set.spec.containers ?? []) container.image = newImage;
      const pods = podsBefore.map((pod) => podOf(set, pod));
      const decision = decideRollout({ sidecarSet: set, revisions: [], latestRevision: 'r2' }, pods, new Date());
      expect(decision.status.matchedPods).toBe(expected.status.matchedPods);
      expect(decision.jobs.map((job) => job.pod)).toEqual(expected.patchedInOrder);
      expect(new Set(decision.jobs.map((job) => job.phase))).toEqual(new Set(['upgrade']));
    },
  );
});

function podOf(set: SidecarSet, before: NonNullable<SelectCase['podsBefore']>[number]): Pod {
  const { name = '' } = set.metadata;
  const hash = (value: string) =>
    JSON.stringify({ [name]: { hash: value, sidecarSetName: name, sidecarList: ['mesh'] } });
  return {
    metadata: {
      name: before.name,
      namespace: 'select',
      uid: before.name,
      labels: before.labels,
      creationTimestamp: before.creationTimestamp,
      annotations: {
        [KRUISE.hash]: hash('old'),
        [KRUISE.hashWithoutImage]: hash('same'),
        [KRUISE.injectedList]: name,
      },
    },
    spec: {
      nodeName: 'n',
      containers: [
        { name: 'mesh', image: 'mesh:v1' },
        { name: 'app', image: 'app:1' },
      ],
    },
    status: {
      phase: 'Running',
      conditions: [before.ready],
      containerStatuses: ['mesh', 'app'].map((container) => ({ name: container, ready: true, restartCount: 0 })),
    },
  };
}
