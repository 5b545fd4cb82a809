import { describe, expect, test } from '@jest/globals';
import { KRUISE } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../api/sidecarset.js';
import type { InjectionInput } from './injection-plan.js';
import { injectPod, planInjection } from './plan-injection.js';
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

const inject = (pod: Pod, sets: SidecarSet[]) => injectPod(given(pod, sets));

describe('which SidecarSets a pod gets', () => {
  const mesh = { name: 'mesh', image: 'm:1' };
  const skipped = (set: SidecarSet, pod = aPod(), more: Partial<InjectionInput> = {}) => {
    const plan = planInjection(given(pod, [set], more));
    return { patch: plan.patch.length, injected: plan.injected, why: plan.skipped.map(({ reason }) => reason) };
  };
  const not = (...why: string[]) => ({ patch: 0, injected: [], why });

  test('several, in the order of their names', () => {
    const plan = planInjection(given(aPod(), [aSet('b', [mesh]), aSet('a', [{ name: 'log' }])]));
    expect(plan.injected).toEqual(['a', 'b']);
  });

  test('not one that is paused', () => {
    expect(skipped(aSet('a', [mesh], { injectionStrategy: { paused: true } }))).toEqual(not('InjectionPaused'));
  });

  test('none when the pod opts out', () => {
    expect(skipped(aSet('a', [mesh]), aPod({}, { 'sidestep.dev/inject': 'false' }))).toEqual(not('PodOptedOut'));
  });

  test('not those that the pod names', () => {
    expect(skipped(aSet('a', [mesh]), aPod({}, { 'sidestep.dev/skip-sidecarsets': 'x, a' }))).toEqual(
      not('SkippedByPod'),
    );
    expect(skipped(aSet('a', [mesh]), aPod({}, { 'sidestep.dev/skip-sidecarsets': 'x' })).injected).toEqual(['a']);
  });

  test('not one with an empty selector, nor one with an empty namespace selector', () => {
    expect(skipped(aSet('a', [mesh], { selector: {} }))).toEqual(not());
    expect(skipped(aSet('a', [mesh], { namespaceSelector: {} }))).toEqual(not());
  });

  test('by the labels of the namespace, which always include its name', () => {
    const prod = aSet('a', [mesh], { namespaceSelector: { matchLabels: { env: 'prod' } } });
    expect(skipped(prod)).toEqual(not());
    expect(skipped(prod, aPod(), { namespaceLabels: { env: 'prod' } }).injected).toEqual(['a']);
    const named = { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } };
    expect(skipped(aSet('a', [mesh], { namespaceSelector: named })).injected).toEqual(['a']);
  });

  test('of a namespace that is not in memory, only by its name', () => {
    const unknown = { namespaceLabels: undefined };
    const prod = aSet('a', [mesh], { namespaceSelector: { matchLabels: { env: 'prod' } } });
    expect(skipped(prod, aPod(), unknown)).toEqual(not('NamespaceUnknown'));
    const named = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop'] }] };
    expect(skipped(aSet('a', [mesh], { namespaceSelector: named }), aPod(), unknown).injected).toEqual(['a']);
  });

  test('the canary instead of its base where both match', () => {
    const annotations = { [KRUISE.canary]: 'true', [KRUISE.canaryBase]: 'base' };
    const sets = [aSet('base', [mesh]), aSet('canary', [{ name: 'mesh', image: 'm:2' }], {}, { annotations })];
    const { pod, plan } = inject(aPod(), sets);
    expect([plan.injected, plan.skipped[0]?.reason]).toEqual([['canary'], 'ReplacedByCanary']);
    expect(pod.spec.containers.find(({ name }) => name === 'mesh')?.image).toBe('m:2');
    const elsewhere = aSet('canary', [mesh], { selector: { matchLabels: { app: 'other' } } }, { annotations });
    expect(planInjection(given(aPod(), [sets[0]!, elsewhere])).injected).toEqual(['base']);
  });

  test.each([{ status: { phase: 'Succeeded' } }, { status: { phase: 'Failed' } }])(
    'none after the end: %j',
    (status) => {
      expect(planInjection(given({ ...aPod(), ...status }, [aSet('a', [mesh])])).injected).toEqual([]);
    },
  );
});
