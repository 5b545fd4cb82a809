import { describe, expect, test } from '@jest/globals';
import { recordedWrites } from '../../testing/golden.js';
import { defaultSidecarSet } from '../api/defaults/sidecarset.js';
import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { withHashes } from './hash.js';
import { RevisionDataError, restoreRevision } from './restore-revision.js';
import { decideRevisions } from './revision-decision.js';

/** The revisions of a set after the decision was carried out, oldest first. */
function after(existing: ControllerRevision[], set: SidecarSet, inUse = new Set<string>()): ControllerRevision[] {
  const decision = decideRevisions({ set, existing, inUse, namespace: 'kruise-system' });
  const gone = new Set(decision.remove);
  const name = decision.latest.metadata.name;
  return [...existing.filter((each) => each.metadata.name !== name && !gone.has(each)), decision.latest];
}

describe('decideRevisions', () => {
  const accepted = recordedWrites().filter(({ outcome }) => (outcome.controllerRevisions ?? []).length > 0);

  test.each(accepted)('leaves the recorded ControllerRevisions after $title', ({ written, outcome, revisions }) => {
    const set = outcome.stored?.v1beta1 as SidecarSet;
    const mine = revisions.filter(
      (each) => each.metadata.labels?.['kruise.io/sidecarset-name'] === written.metadata.name,
    );
    const recorded = outcome.controllerRevisions?.map(
      ({ name, namespace, labels, annotations, ownerReferences, ...rest }) => ({
        metadata: { name, namespace, labels, annotations, ownerReferences },
        ...rest,
      }),
    );
    const result = after(mine, set).map(({ apiVersion, kind, ...rest }) => rest);
    expect(result.sort((a, b) => a.revision - b.revision)).toEqual(recorded?.sort((a, b) => a.revision - b.revision));
  });
});

const NAMESPACE = 'kruise-system';

function aSet(image: string, more: Partial<SidecarSet['spec']> = {}, status?: SidecarSet['status']): SidecarSet {
  const set: SidecarSet = {
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name: 'mesh-set', uid: 'u1', labels: { team: 'a' } },
    spec: { selector: { matchLabels: { app: 'shop' } }, containers: [{ name: 'mesh', image }], ...more },
    ...(status ? { status } : {}),
  };
  return withHashes(defaultSidecarSet(set));
}

const names = (revisions: ControllerRevision[]) =>
  revisions.map(({ revision, metadata }) => `${revision} ${metadata.name}`);

test('a revision records every digit, under the name that OpenKruise gives, which reads doubles', () => {
  const graceful = (terminationGracePeriodSeconds: number | bigint) => {
    const set = aSet('mesh:1');
    const [mesh] = set.spec.containers ?? [];
    const containers = [{ ...mesh, name: 'mesh', livenessProbe: { exec: {}, terminationGracePeriodSeconds } }];
    return after([], withHashes({ ...set, spec: { ...set.spec, containers } }))[0] as ControllerRevision;
  };
  const [exact, double] = [graceful(9007199254740993n), graceful(9007199254740992)];
  expect(exact.metadata.name).toBe(double.metadata.name);
  const { spec } = restoreRevision(aSet('mesh:2'), exact);
  expect(spec.containers?.[0]).toMatchObject({ livenessProbe: { terminationGracePeriodSeconds: 9007199254740993n } });
});

describe('the history of a SidecarSet', () => {
  const history = ['mesh:1', 'mesh:2', 'mesh:3'].reduce<ControllerRevision[]>(
    (all, image) => after(all, aSet(image)),
    [],
  );
  const name = (i: number) => history[i]?.metadata.name ?? '';

  test('has a revision for each spec, numbered in order', () => {
    expect(names(history)).toEqual([`1 ${name(0)}`, `2 ${name(1)}`, `3 ${name(2)}`]);
    expect(new Set(names(history)).size).toBe(3);
  });

  test('is left alone by the spec it has last', () => {
    const decision = decideRevisions({
      set: aSet('mesh:3'),
      existing: history,
      inUse: new Set(),
      namespace: NAMESPACE,
    });
    expect(decision).toEqual({ latest: history[2], remove: [], collisionCount: 0 });
  });

  test('gives the old revision a new number when the spec goes back to it', () => {
    const decision = decideRevisions({
      set: aSet('mesh:1'),
      existing: history,
      inUse: new Set(),
      namespace: NAMESPACE,
    });
    expect(decision.create).toBeUndefined();
    expect(decision.update).toEqual({ ...history[0], revision: 4 });
  });

  test('gives a revision the custom version that the spec has now', () => {
    const set = aSet('mesh:3', { customVersion: 'blue' });
    const decision = decideRevisions({ set, existing: history, inUse: new Set(), namespace: NAMESPACE });
    expect(decision.update?.metadata.labels).toMatchObject({ [KRUISE.customVersion]: 'blue', team: 'a' });
    expect(decision.update?.revision).toBe(3);
  });

  test.each<[string, SidecarSet, string[], number[]]>([
    ['the oldest ones', aSet('mesh:4', { revisionHistoryLimit: 2 }), [], [0, 1]],
    ['none that a pod runs', aSet('mesh:4', { revisionHistoryLimit: 1 }), [name(0)], [1, 2]],
    [
      'none that injection is pinned to',
      aSet('mesh:4', { revisionHistoryLimit: 1, injectionStrategy: { revision: { revisionName: name(1) } } }),
      [],
      [0, 2],
    ],
    [
      'not the last good one',
      aSet(
        'mesh:4',
        { revisionHistoryLimit: 1 },
        { matchedPods: 0, updatedPods: 0, readyPods: 0, currentRevision: name(2) },
      ),
      [],
      [0, 1],
    ],
    ['all but the newest with limit 0', aSet('mesh:4', { revisionHistoryLimit: 0 }), [], [0, 1, 2]],
    ['not the one that is in force again', aSet('mesh:1', { revisionHistoryLimit: 1 }), [], [1, 2]],
  ])('drops %s', (_, set, inUse, dropped) => {
    const { remove } = decideRevisions({ set, existing: history, inUse: new Set(inUse), namespace: NAMESPACE });
    expect(names(remove)).toEqual(dropped.map((i) => names(history)[i]));
  });

  test('takes another name when somebody else has the one it wants', () => {
    const set = aSet('mesh:4');
    const wanted =
      decideRevisions({ set, existing: history, inUse: new Set(), namespace: NAMESPACE }).latest.metadata.name ?? '';
    const taken = new Set([wanted]);
    const decision = decideRevisions({ set, existing: history, inUse: new Set(), namespace: NAMESPACE, taken });
    expect(decision.collisionCount).toBe(1);
    expect(decision.create?.metadata.name).not.toBe(wanted);
  });

  test('does not count revisions of an owner that had the same name', () => {
    const set = { ...aSet('mesh:1'), metadata: { ...aSet('mesh:1').metadata, uid: 'u2' } };
    const decision = decideRevisions({ set, existing: history, inUse: new Set(), namespace: NAMESPACE });
    expect(decision.create?.revision).toBe(1);
    expect(decision.remove).toEqual([]);
    expect(decision.create?.metadata.name).not.toBe(name(0));
  });

  test('tells specs apart that differ in a field nobody knows, under names that OpenKruise would give', () => {
    const plain = aSet('mesh:1');
    const newer = aSet('mesh:1', { containers: [{ name: 'mesh', image: 'mesh:1', newerField: 1 }] });
    const decision = decideRevisions({ set: newer, existing: history, inUse: new Set(), namespace: NAMESPACE });
    expect(decision.collisionCount).toBe(1);
    const alone = decideRevisions({ set: newer, existing: [], inUse: new Set(), namespace: NAMESPACE });
    const ofPlain = decideRevisions({ set: plain, existing: [], inUse: new Set(), namespace: NAMESPACE });
    expect(alone.latest.metadata.name).toBe(ofPlain.latest.metadata.name);
  });
});

describe('restoreRevision', () => {
  test('gives back what was recorded and keeps selectors and strategies', () => {
    const old = aSet('mesh:1', { volumes: [{ name: 'v' }], customVersion: 'blue' });
    const revision = decideRevisions({ set: old, existing: [], inUse: new Set(), namespace: NAMESPACE }).latest;
    const now = aSet('mesh:2', { imagePullSecrets: [{ name: 's' }], updateStrategy: { maxUnavailable: 5 } });
    const restored = restoreRevision(now, revision);
    expect(restored.spec).toEqual({ ...old.spec, updateStrategy: now.spec.updateStrategy });
    expect(restored.metadata.annotations).toEqual(old.metadata.annotations);
    expect(restored.status?.latestRevision).toBe(revision.metadata.name);
    expect(now.spec.imagePullSecrets).toEqual([{ name: 's' }]);
  });

  test.each([[undefined], [null], [{}], [{ spec: 5 }]])('refuses a revision whose data is %j', (data) => {
    const revision = { metadata: { name: 'r' }, revision: 1, data };
    expect(() => restoreRevision(aSet('mesh:1'), revision)).toThrow(RevisionDataError);
  });
});
