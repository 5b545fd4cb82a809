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

  const otherThan = (set: { apiVersion?: string }) => (set.apiVersion === API_V1BETA1 ? API_V1ALPHA1 : API_V1BETA1);
  const back = (shown: SidecarSet) => convertSidecarSet(shown, otherThan(shown));
  const byName = { matchLabels: { [NAME]: 'shop' } };

  test.each<[string, object]>([
    ['an empty namespace', { apiVersion: API_V1ALPHA1, metadata: {}, spec: { namespace: '' } }],
    ['a null namespace', { apiVersion: API_V1ALPHA1, metadata: {}, spec: { namespace: null } }],
    [
      'an empty namespace beside a selector by name',
      { apiVersion: API_V1ALPHA1, metadata: {}, spec: { namespace: '', namespaceSelector: byName } },
    ],
    [
      'a namespace beside a null selector',
      { apiVersion: API_V1ALPHA1, metadata: {}, spec: { namespace: 'shop', namespaceSelector: null } },
    ],
    ['an empty custom version label', { apiVersion: API_V1ALPHA1, metadata: { labels: { [LABEL]: '' } }, spec: {} }],
    ['an empty custom version', { apiVersion: API_V1BETA1, metadata: {}, spec: { customVersion: '' } }],
    [
      'an empty custom version beside a label',
      { apiVersion: API_V1BETA1, metadata: { labels: { [LABEL]: 'v1' } }, spec: { customVersion: '' } },
    ],
    ['an empty label of v1beta1', { apiVersion: API_V1BETA1, metadata: { labels: { [LABEL]: '' } }, spec: {} }],
    ['null labels', { apiVersion: API_V1BETA1, metadata: { labels: null }, spec: {} }],
    ['null labels in v1alpha1', { apiVersion: API_V1ALPHA1, metadata: { labels: null }, spec: {} }],
    [
      'null labels and annotations beside a custom version',
      { apiVersion: API_V1BETA1, metadata: { labels: null, annotations: null }, spec: { customVersion: 'v1' } },
    ],
    [
      'empty labels and annotations beside a custom version',
      { apiVersion: API_V1BETA1, metadata: { labels: {}, annotations: {} }, spec: { customVersion: 'v1' } },
    ],
    [
      'a selector by name with a field of a newer version',
      { apiVersion: API_V1BETA1, metadata: {}, spec: { namespaceSelector: { ...byName, matchFields: [] } } },
    ],
  ])('there and back again loses nothing of %s, twice', (_, set) => {
    const once = back(convertSidecarSet(set as SidecarSet, otherThan(set)));
    expect(once).toEqual(set);
    expect(back(convertSidecarSet(once, otherThan(once)))).toEqual(set);
  });

  const relabelled = (set: SidecarSet, labels: object) =>
    ({ ...set, metadata: { ...set.metadata, labels } }) as SidecarSet;
  const labelled = { apiVersion: API_V1BETA1, metadata: { labels: { [LABEL]: 'v1', app: 'a' } }, spec: {} };
  const both = { ...labelled, spec: { customVersion: 'v2' } };

  test.each<[string, object, object, object]>([
    ['a label that was removed', labelled, { app: 'a' }, { metadata: { labels: { app: 'a' } }, spec: {} }],
    [
      'a label that was changed',
      labelled,
      { app: 'a', [LABEL]: 'v2' },
      { metadata: { labels: { app: 'a' } }, spec: { customVersion: 'v2' } },
    ],
    ['a custom version that was removed', both, { app: 'a' }, { metadata: { labels: { app: 'a' } }, spec: {} }],
    [
      'a custom version that was changed',
      both,
      { app: 'a', [LABEL]: 'v3' },
      { metadata: { labels: { app: 'a' } }, spec: { customVersion: 'v3' } },
    ],
    [
      'another label that was changed',
      labelled,
      { app: 'b', [LABEL]: 'v1' },
      { metadata: { labels: { app: 'b', [LABEL]: 'v1' } }, spec: {} },
    ],
  ])('what a v1alpha1 client did to %s is stored, not what was remembered', (_, set, labels, stored) => {
    const written = back(relabelled(convertSidecarSet(set as SidecarSet, API_V1ALPHA1), labels));
    const { metadata, spec } = written;
    expect({ metadata: { labels: metadata.labels }, spec }).toEqual(stored);
    expect(back(convertSidecarSet(written, API_V1ALPHA1))).toEqual(written);
  });

  test.each<[string, object, object, object]>([
    [
      'another namespace beside which v1alpha1 had a selector',
      { metadata: {}, spec: { namespace: 'shop', namespaceSelector: { matchLabels: { env: 'prod' } } } },
      { namespaceSelector: { matchLabels: { [NAME]: 'other' } } },
      { metadata: {}, spec: { namespace: 'other' } },
    ],
    [
      'a custom version where v1alpha1 had an empty label',
      { metadata: { labels: { [LABEL]: '' } }, spec: {} },
      { customVersion: 'v2' },
      { metadata: { labels: { [LABEL]: 'v2' } }, spec: {} },
    ],
    [
      'a namespace where v1alpha1 had an empty one',
      { metadata: {}, spec: { namespace: '' } },
      { namespaceSelector: byName },
      { metadata: {}, spec: { namespace: 'shop' } },
    ],
  ])('what a v1beta1 client wrote wins over what was remembered: %s', (_, set, spec, shown) => {
    const stored = { ...convertSidecarSet({ apiVersion: API_V1ALPHA1, ...set } as SidecarSet, API_V1BETA1), spec };
    const { annotations: _own, ...metadata } = back(stored as SidecarSet).metadata;
    expect({ ...back(stored as SidecarSet), metadata }).toEqual({ apiVersion: API_V1ALPHA1, ...shown });
    expect(back(back(stored as SidecarSet))).toEqual(stored);
  });

  describe('what a user wrote under the key of conversion', () => {
    const CONVERSION = 'sidestep.dev/conversion';
    const lookalikes = fc
      .record(
        {
          namespace: fc.constantFrom('shop', 'other', '', null),
          namespaceSelector: fc.constantFrom(byName, { matchLabels: { env: 'prod' } }, null),
          bySelector: fc.constant(true),
          emptyLabel: fc.constant(true),
          label: fc.constantFrom('v1', 'v2', ''),
          customVersion: fc.constantFrom('v1', 'v3', '', null),
          labels: fc.constantFrom(null, {}),
          annotations: fc.constantFrom(null, {}),
        },
        { requiredKeys: [] },
      )
      .map((remainder) => JSON.stringify(remainder));
    const values = fc.oneof(fc.string(), fc.json(), lookalikes, fc.constantFrom('mine', '{}', '[]', '{"note":1}'));
    const withValue = ([set, value]: [object, string]): SidecarSet => {
      const { metadata, ...rest } = set as SidecarSet;
      return { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, [CONVERSION]: value } } };
    };

    test.each([
      ['v1alpha1', sets(API_V1ALPHA1, { namespace: fc.constantFrom('shop', 'golden', '') })],
      ['v1beta1', sets(API_V1BETA1, { customVersion: fc.constantFrom('v1', 'v2', '') })],
    ])('comes back, whatever else is kept there, of a set in %s', (_, those) => {
      fc.assert(
        fc.property(fc.tuple(those, values).map(withValue), (set) => {
          const there = convertSidecarSet(set, otherThan(set));
          expect(back(there)).toEqual(set);
          expect(back(back(there))).toEqual(there);
        }),
        { numRuns: 1_000 },
      );
    });

    test('is told apart from what is kept beside it', () => {
      const metadata = { labels: { [LABEL]: 'v1' }, annotations: { [CONVERSION]: 'mine' } };
      const set = { apiVersion: API_V1BETA1, metadata, spec: { customVersion: 'v2' } };
      const shown = convertSidecarSet(set as SidecarSet, API_V1ALPHA1);
      const kept = '{"label":"v1","customVersion":"v2","own":"mine"}';
      expect(shown.metadata).toEqual({ labels: { [LABEL]: 'v2' }, annotations: { [CONVERSION]: kept } });
    });

    test('and what went stale there never piles up while two clients undo each other', () => {
      const ofV1alpha1 = { namespace: 'shop', namespaceSelector: { matchLabels: { env: 'prod' } } };
      const longest = Array.from({ length: 30 }).reduce<[SidecarSet, number]>(
        ([set, length]) => {
          const written = { ...convertSidecarSet(set, API_V1ALPHA1), spec: ofV1alpha1 } as SidecarSet;
          const stored = { ...convertSidecarSet(written, API_V1BETA1), spec: { namespaceSelector: byName } };
          return [stored, Math.max(length, stored.metadata.annotations?.[CONVERSION]?.length ?? 0)];
        },
        [{ apiVersion: API_V1BETA1, metadata: { annotations: { [CONVERSION]: 'mine' } }, spec: {} }, 0],
      )[1];
      expect(longest).toBeLessThan(400);
    });
  });

  test.each([
    ['text', 'containers'],
    ['a list', []],
    ['null', null],
  ])('refuses a spec that is %s', (_, spec) => {
    const set = { apiVersion: API_V1ALPHA1, metadata: {}, spec } as unknown as SidecarSet;
    expect(() => convertSidecarSet(set, API_V1BETA1)).toThrow('spec of a SidecarSet must be an object');
  });

  test('refuses a version that is not served', () => {
    const set = { apiVersion: API_V1BETA1, metadata: {}, spec: {} };
    expect(() => convertSidecarSet(set, 'apps.kruise.io/v2')).toThrow(ConversionError);
    expect(() => convertSidecarSet({ metadata: {}, spec: {} }, API_V1BETA1)).toThrow('no version');
  });
});
