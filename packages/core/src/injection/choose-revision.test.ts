import { describe, expect, test } from '@jest/globals';
import { KRUISE } from '../api/keys.js';
import type { ControllerRevision, Pod } from '../api/kubernetes.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../api/sidecarset.js';
import type { InjectionInput } from './injection-plan.js';
import { injectPod } from './plan-injection.js';
import { SidecarSetIndex } from './sidecarset-index.js';

function aPod(spec: Partial<Pod['spec']> = {}, annotations?: Record<string, string>): Pod {
  const metadata = { name: 'p', namespace: 'shop', labels: { app: 'shop' }, ...(annotations ? { annotations } : {}) };
  return { metadata, spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec } };
}

function aSet(
  name: string,
  containers: SidecarContainer[],
  spec: Partial<SidecarSetSpec> = {},
  metadata = {},
): SidecarSet {
  const annotations = { [KRUISE.hash]: `hash-${name}`, [KRUISE.hashWithoutImage]: `bare-${name}` };
  return {
    metadata: { name, annotations, ...metadata },
    spec: { selector: { matchLabels: { app: 'shop' } }, containers, ...spec },
    status: { matchedPods: 0, updatedPods: 0, readyPods: 0, latestRevision: `${name}-1` },
  };
}

function given(pod: Pod, sets: SidecarSet[], more: Partial<InjectionInput> = {}): InjectionInput {
  const revisions = { byName: () => undefined, byCustomVersion: () => undefined };
  const now = new Date('2026-05-04T03:02:01Z');
  return {
    pod,
    namespace: 'shop',
    namespaceLabels: {},
    sidecarSets: new SidecarSetIndex(sets),
    revisions,
    now,
    ...more,
  };
}

const inject = (pod: Pod, sets: SidecarSet[], more?: Partial<InjectionInput>) => injectPod(given(pod, sets, more));

describe('a pinned revision', () => {
  function aRevision(name: string, owner = 's'): ControllerRevision {
    const labels = { [KRUISE.revisionSidecarSetName]: owner };
    const annotations = { [KRUISE.hash]: 'old-hash', [KRUISE.hashWithoutImage]: 'old-bare' };
    const spec = { $patch: 'replace', containers: [{ name: 'm', image: 'm:old' }], volumes: null };
    return { metadata: { name, labels, annotations }, revision: 1, data: { spec } };
  }
  const revisions = {
    byName: (name: string) => (name === 's-0' ? aRevision(name) : name === 'x-0' ? aRevision(name, 'x') : undefined),
    byCustomVersion: (set: string, version: string) => (version === 'v0' ? aRevision(`${set}-0`) : undefined),
  };
  const pinned = (revision: object, updateStrategy = {}) =>
    aSet('s', [{ name: 'm', image: 'm:new' }], { injectionStrategy: { revision }, updateStrategy });
  const imageFor = (set: SidecarSet, pod = aPod(), requestUid = 'r') =>
    inject(pod, [set], { revisions, requestUid }).pod.spec.containers.find(({ name }) => name === 'm')?.image;

  test('a revision that the failure policy took back is not given to new pods: they get the last good one', () => {
    const failing = aSet('s', [{ name: 'm', image: 'm:new' }], {
      updateStrategy: { failurePolicy: { action: 'Rollback' } },
    });
    const status = { matchedPods: 1, updatedPods: 0, readyPods: 1, latestRevision: 's-1', currentRevision: 's-0' };
    expect(imageFor({ ...failing, status })).toBe('m:new');
    expect(imageFor({ ...failing, status: { ...status, failedRevision: 's-1' } })).toBe('m:old');
    expect(imageFor({ ...failing, status: { ...status, failedRevision: 's-0' } })).toBe('m:new');
  });

  test.each([{ revisionName: 's-0' }, { customVersion: 'v0' }, { revisionName: 's-0', policy: 'Always' }])(
    '%j is injected',
    (revision) => {
      expect(imageFor(pinned(revision))).toBe('m:old');
      const { annotations } = inject(aPod(), [pinned(revision)], { revisions }).pod.metadata;
      expect(JSON.parse(annotations![KRUISE.hash]!).s).toMatchObject({ hash: 'old-hash', controllerRevision: 's-0' });
    },
  );

  test('that does not exist, or is another set’s, refuses the pod', () => {
    expect(() => imageFor(pinned({ revisionName: 'gone' }))).toThrow('ControllerRevision.apps "gone" not found');
    expect(() => imageFor(pinned({ customVersion: 'v9' }))).toThrow('ControllerRevision.apps "s" not found');
    expect(() => imageFor(pinned({ revisionName: 'x-0' }))).toThrow(
      'ControllerRevision x-0 does not belong to SidecarSet s',
    );
  });

  const partial = { revisionName: 's-0', policy: 'Partial' };

  test('with policy Partial goes to pods that the update does not select, and to all while it is paused', () => {
    const selector = { matchLabels: { canary: 'true' } };
    expect(imageFor(pinned(partial, { selector }))).toBe('m:old');
    expect(imageFor(pinned(partial, { selector: { matchLabels: { app: 'shop' } } }))).toBe('m:new');
    expect(imageFor(pinned(partial, { partition: 2 }))).toBe('m:new');
    expect(imageFor(pinned(partial, { partition: 0, paused: true }))).toBe('m:old');
    expect(() => imageFor(pinned(partial, { partition: 'x' }))).toThrow('is not a percentage');
  });

  test('with policy Partial goes to its share of pods, and to the same ones each time', () => {
    const set = pinned(partial, { partition: '30%' });
    const pods = Array.from({ length: 2_000 }, (_, n) => ({
      ...aPod(),
      metadata: { ...aPod().metadata, uid: `u${n}` },
    }));
    const images = pods.map((pod) => imageFor(set, pod));
    const share = images.filter((image) => image === 'm:old').length / pods.length;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.35);
    expect(pods.map((pod) => imageFor(set, pod, 'another request'))).toEqual(images);
  });

  test('with policy Partial tells pods of one owner apart that have no name yet', () => {
    const set = pinned(partial, { partition: '50%' });
    const nameless: Pod = { metadata: { generateName: 'shop-', labels: { app: 'shop' } }, spec: aPod().spec };
    const images = new Set(Array.from({ length: 50 }, (_, n) => imageFor(set, nameless, `request-${n}`)));
    expect(images).toEqual(new Set(['m:old', 'm:new']));
  });
});
