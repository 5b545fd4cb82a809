import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordedWrites } from '../../testing/golden.js';
import { ConversionError, convertSidecarSet } from './conversion.js';
import type { SidecarSet } from './sidecarset.js';
import { API_V1ALPHA1, API_V1BETA1 } from './versions.js';

const LABEL = 'apps.kruise.io/sidecarset-custom-version';
const NAME = 'kubernetes.io/metadata.name';

const namespaces = fc.constantFrom('shop', 'golden');
const selectors = fc.oneof(
  namespaces.map((name) => ({ matchLabels: { [NAME]: name } })),
  namespaces.map((name) => ({ matchLabels: { [NAME]: name, env: 'prod' } })),
  namespaces.map((name) => ({ matchExpressions: [{ key: NAME, operator: 'In', values: [name] }] })),
  fc.constant({ matchLabels: { env: 'prod' } }),
);
const metadata = fc.record(
  {
    labels: fc.record({ [LABEL]: fc.constantFrom('v1', 'v2'), app: fc.constant('a') }, { requiredKeys: [] }),
    annotations: fc.constant({ note: 'n' }),
  },
  { requiredKeys: [] },
);
const sets = (apiVersion: string, own: object) =>
  fc
    .record({
      apiVersion: fc.constant(apiVersion),
      metadata,
      spec: fc.record({ namespaceSelector: selectors, ...own } as object, { requiredKeys: [] }),
    })
    .filter(({ metadata: { labels } }) => labels === undefined || Object.keys(labels).length > 0);

describe('conversion between v1alpha1 and v1beta1', () => {
  test('there and back again loses nothing of a v1alpha1 set', () => {
    fc.assert(
      fc.property(sets(API_V1ALPHA1, { namespace: namespaces }), (set) => {
        const original = structuredClone(set);
        const there = convertSidecarSet(set as SidecarSet, API_V1BETA1);
        expect(convertSidecarSet(there, API_V1ALPHA1)).toEqual(original);
        expect(set).toEqual(original);
      }),
    );
  });

  test('there and back again loses nothing of a v1beta1 set', () => {
    fc.assert(
      fc.property(sets(API_V1BETA1, { customVersion: fc.constantFrom('v1', 'v2') }), (set) => {
        const there = convertSidecarSet(set as SidecarSet, API_V1ALPHA1);
        expect(convertSidecarSet(there, API_V1BETA1)).toEqual(set);
      }),
    );
  });

  test('a namespace becomes a selector by name, and wins over another selector', () => {
    const spec = { namespace: 'shop', namespaceSelector: { matchLabels: { env: 'prod' } } };
    const set = convertSidecarSet({ apiVersion: API_V1ALPHA1, metadata: {}, spec }, API_V1BETA1);
    expect(set.spec).toEqual({ namespaceSelector: { matchLabels: { [NAME]: 'shop' } } });
  });

  test('a change of the namespace made through v1beta1 shows in v1alpha1', () => {
    const spec = { namespaceSelector: { matchLabels: { [NAME]: 'a' } } };
    const stored = convertSidecarSet({ apiVersion: API_V1ALPHA1, metadata: {}, spec }, API_V1BETA1);
    const changed = { ...stored, spec: { namespaceSelector: { matchLabels: { [NAME]: 'b' } } } };
    expect(convertSidecarSet(changed, API_V1ALPHA1).spec).toEqual({
      namespaceSelector: { matchLabels: { [NAME]: 'b' } },
    });
  });

  const recorded = recordedWrites().filter(({ outcome }) => outcome.stored !== undefined);

  test.each(recorded)('shows the stored set of $title as OpenKruise does, but for spec.namespace', ({ outcome }) => {
    const { v1alpha1, v1beta1 } = outcome.stored as { v1alpha1: SidecarSet; v1beta1: SidecarSet };
    const shown = convertSidecarSet(v1beta1, API_V1ALPHA1);
    const { namespace, ...spec } = shown.spec as { namespace?: string };
    const selector = namespace === undefined ? {} : { namespaceSelector: { matchLabels: { [NAME]: namespace } } };
    expect({ ...shown, spec: { ...spec, ...selector } }).toEqual(v1alpha1);
    expect(convertSidecarSet(shown, API_V1BETA1)).toEqual(v1beta1);
  });

  test('refuses a version that is not served', () => {
    const set = { apiVersion: API_V1BETA1, metadata: {}, spec: {} };
    expect(() => convertSidecarSet(set, 'apps.kruise.io/v2')).toThrow(ConversionError);
    expect(() => convertSidecarSet({ metadata: {}, spec: {} }, API_V1BETA1)).toThrow('no version');
  });
});
