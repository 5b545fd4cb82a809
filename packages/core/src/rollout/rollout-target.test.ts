import { describe, expect, test } from '@jest/globals';
import { hotSet, storedSet, withImages, withStrategy } from '../../testing/sidecarsets.js';
import { SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { rolloutTarget } from './rollout-target.js';

const good = storedSet(hotSet('mesh:v1'), 1);
const bad = storedSet(
  withStrategy(withImages(good, { mesh: 'mesh:v2' }), { failurePolicy: { action: 'Rollback' } }),
  2,
);
const revisionOf = (set: SidecarSet): ControllerRevision => ({
  metadata: { name: set.status?.latestRevision ?? '', annotations: set.metadata.annotations ?? {} },
  data: { spec: { $patch: 'replace', ...set.spec } },
  revision: 1,
});
const revisions = [revisionOf(good), revisionOf(bad)];
const failed: SidecarSet = {
  ...bad,
  status: {
    matchedPods: 3,
    updatedPods: 1,
    readyPods: 2,
    ...bad.status,
    currentRevision: good.status?.latestRevision ?? '',
    failedRevision: bad.status?.latestRevision ?? '',
  },
};
const imageOf = (set: SidecarSet) => rolloutTarget(set, revisions).spec.containers?.[0]?.image;

describe('what pods should run', () => {
  test('is the spec, as a rule', () => {
    expect(rolloutTarget(bad, revisions)).toBe(bad);
  });
  test('is the last good revision once the failure policy took the spec back', () => {
    expect(imageOf(failed)).toBe('mesh:v1');
    expect(rolloutTarget(failed, revisions).status?.latestRevision).toBe(good.status?.latestRevision);
    expect(rolloutTarget(failed, revisions).spec.updateStrategy).toEqual(bad.spec.updateStrategy);
  });
  test('is the spec again as soon as it is edited, even before the status follows', () => {
    const edited = { ...storedSet(withImages(failed, { mesh: 'mesh:v3' }), 3), status: failed.status as never };
    expect(imageOf(edited)).toBe('mesh:v3');
  });
  test('is the spec again when a retry is asked for', () => {
    const annotations = { ...failed.metadata.annotations, [SIDESTEP.retry]: 'now' };
    expect(imageOf({ ...failed, metadata: { ...failed.metadata, annotations } })).toBe('mesh:v2');
  });
  test('is the spec where the policy is to pause only', () => {
    expect(imageOf(withStrategy(failed, { failurePolicy: { action: 'Pause' } }))).toBe('mesh:v2');
  });
  test('is the spec when the good revision is gone, or records nothing', () => {
    expect(rolloutTarget(failed, [])).toBe(failed);
    const empty = { ...revisionOf(good), data: undefined };
    expect(rolloutTarget(failed, [empty, revisionOf(bad)])).toBe(failed);
  });
});
