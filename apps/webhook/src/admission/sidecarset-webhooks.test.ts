import { describe, expect, test } from '@jest/globals';
import { applyJsonPatch, type JsonPatch } from '@sidestep/core';
import { memoryView } from '../../test/memory-view.js';
import { sidecarSet, sidecarSetRequest } from '../../test/reviews.js';
import { refusalOf } from './answers.js';
import { mutateSidecarSet } from './mutate-sidecarset.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { validateSidecarSet } from './validate-sidecarset.js';

/** As the endpoints do it. */
const answered = (rule: () => AdmissionAnswer): AdmissionAnswer => {
  try {
    return rule();
  } catch (error) {
    return refusalOf(error);
  }
};

const stored = (object: unknown): unknown => {
  const answer = mutateSidecarSet(sidecarSetRequest(object));
  if (!answer.allowed) throw new Error(answer.message);
  return applyJsonPatch(object, answer.patch as JsonPatch);
};

const others: [string, Partial<AdmissionRequest>][] = [
  ['a deletion', { operation: 'DELETE', object: undefined }],
  ['the status', { subResource: 'status' }],
  ['the scale', { subResource: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }],
];

/** What an API server with the shipped configurations never sends here. */
const misdirected: [string, Partial<AdmissionRequest>, string][] = [
  [
    'another resource',
    { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    'takes requests about the resource "sidecarsets" in group "apps.kruise.io" of kind "SidecarSet" in group ' +
      '"apps.kruise.io", and this one is about the resource "deployments" in group "apps" of kind',
  ],
  [
    'a pod',
    { resource: { group: '', version: 'v1', resource: 'pods' }, kind: { group: '', version: 'v1', kind: 'Pod' } },
    'and this one is about the resource "pods" in the core group of kind "Pod" in the core group',
  ],
  [
    'a SidecarSet of a foreign group',
    {
      resource: { group: 'example.com', version: 'v1', resource: 'sidecarsets' },
      kind: { group: 'example.com', version: 'v1', kind: 'SidecarSet' },
    },
    'about the resource "sidecarsets" in group "example.com"',
  ],
  ['another kind', { kind: { group: 'apps.kruise.io', version: 'v1beta1', kind: 'CloneSet' } }, 'of kind "CloneSet"'],
  ['no operation', { operation: '' }, 'takes the operations CREATE, UPDATE, DELETE, CONNECT, and this request is ""'],
  ['a creation of nothing', { object: undefined }, 'the CREATE has no object'],
  ['an update of nothing', { operation: 'UPDATE' }, 'the UPDATE has no oldObject'],
  ['an update of a text', { operation: 'UPDATE', oldObject: 'x' }, 'the UPDATE has no oldObject'],
];

const unreadable: [string, unknown][] = [
  ['nothing', undefined],
  ['a text', 'set'],
  ['another kind', { ...sidecarSet(), kind: 'Pod' }],
  ['metadata that is a text', { ...sidecarSet(), metadata: 'x' }],
  ['annotations that are a list', { ...sidecarSet(), metadata: { annotations: [] } }],
  ['a spec that is a list', { ...sidecarSet(), spec: [] }],
  ['containers that are a text', sidecarSet({ containers: 'mesh' })],
];

describe('writing a SidecarSet', () => {
  test('fills in defaults and both hashes, and keeps what it does not know', () => {
    const set = sidecarSet({ containers: [{ name: 'mesh', image: 'mesh:v1', newField: { x: 1 } }] });
    expect(stored(set)).toMatchObject({
      metadata: { annotations: { 'kruise.io/sidecarset-hash': expect.stringMatching(/^[0-9a-z]{64}$/) } },
      spec: {
        updateStrategy: { type: 'RollingUpdate' },
        containers: [{ newField: { x: 1 }, imagePullPolicy: 'IfNotPresent' }],
      },
    });
  });

  test('puts right a hash that the writer made up', () => {
    const set = sidecarSet();
    const forged = { ...set, metadata: { ...set.metadata, annotations: { 'kruise.io/sidecarset-hash': 'mine' } } };
    expect(stored(forged)).toEqual(stored(set));
  });

  test('changes nothing when everything is there already', () => {
    const set = stored(sidecarSet());
    const update = sidecarSetRequest(set, { operation: 'UPDATE', oldObject: set });
    expect(mutateSidecarSet(update)).toEqual({ allowed: true, patch: [] });
  });

  test.each(others)('is all that defaulting looks at: %s is allowed as it is', (_, more) => {
    expect(mutateSidecarSet(sidecarSetRequest(sidecarSet(), more))).toEqual({ allowed: true });
  });

  test.each(misdirected)(
    'is refused by defaulting, with what came and what it takes, when it is %s',
    (_, more, message) => {
      const answer = mutateSidecarSet(sidecarSetRequest(sidecarSet(), more));
      expect(answer).toMatchObject({ allowed: false, code: 400, reason: 'BadRequest' });
      expect(answer).toHaveProperty('message', expect.stringContaining(message));
    },
  );

  test.each(unreadable)('is refused by defaulting when it is %s', (_, object) => {
    expect(answered(() => mutateSidecarSet(sidecarSetRequest(object)))).toMatchObject({ allowed: false, code: 400 });
  });
});

describe('validating a SidecarSet', () => {
  const validate = (object: unknown, more: Partial<AdmissionRequest> = {}, view = memoryView()) =>
    answered(() => validateSidecarSet(sidecarSetRequest(object, more), view));

  test('allows one that keeps the rules, in either version', () => {
    expect(validate(stored(sidecarSet()))).toMatchObject({ allowed: true });
    const old = stored({ ...sidecarSet({ namespace: 'shop' }), apiVersion: 'apps.kruise.io/v1alpha1' });
    expect(validate(old)).toMatchObject({ allowed: true });
  });

  test('refuses one that breaks a rule with 422 and the message of OpenKruise', () => {
    expect(validate(stored(sidecarSet({ selector: undefined })))).toEqual({
      allowed: false,
      code: 422,
      reason: 'Invalid',
      message: 'spec.selector: Required value: no selector defined for SidecarSet',
    });
  });

  test('warns of what is hardly meant', () => {
    const waiting = stored(sidecarSet({ updateStrategy: { maxUnavailable: 0 } }));
    expect(validate(waiting)).toMatchObject({ allowed: true, warnings: [expect.stringContaining('maxUnavailable')] });
  });

  test('looks at the set as it was', () => {
    const before = stored(sidecarSet());
    const after = stored(
      sidecarSet({
        containers: [
          {
            name: 'mesh',
            image: 'mesh:v1',
            upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e:1' },
          },
        ],
      }),
    );
    expect(validate(after)).toMatchObject({ allowed: true });
    expect(validate(after, { operation: 'UPDATE', oldObject: before })).toMatchObject({ allowed: false, code: 422 });
    const unreadableBefore = { ...sidecarSet(), spec: 'nonsense' };
    expect(validate(after, { operation: 'UPDATE', oldObject: unreadableBefore })).toMatchObject({ allowed: true });
  });

  test('looks at the other sets and the white list', () => {
    const conflict = memoryView({ sidecarSets: [sidecarSet({}, 'other')] });
    expect(validate(stored(sidecarSet()), {}, conflict)).toMatchObject({
      allowed: false,
      message: expect.stringContaining('other'),
    });
    const patching = stored(sidecarSet({ patchPodMetadata: [{ annotations: { key: 'v' } }] }));
    expect(validate(patching)).toMatchObject({ allowed: false });
    const whitelist = '{"rules":[{"allowedAnnotationKeyExprs":["^key$"]}]}';
    expect(validate(patching, {}, memoryView({ whitelist }))).toMatchObject({ allowed: true });
  });

  test.each<[string, unknown, unknown]>([
    ['with the pods that are half way', { upgradingPods: 2 }, [expect.stringContaining('2 pods are half way')]],
    ['without a word when none is', { upgradingPods: 0 }, []],
    ['without a word before a planner has seen it', undefined, []],
  ])('allows a deletion, %s', (_, status, warnings) => {
    const oldObject = { ...sidecarSet(), status };
    expect(validate(undefined, { operation: 'DELETE', oldObject })).toEqual({ allowed: true, warnings });
  });

  test.each(unreadable)('allows the deletion of %s', (_, oldObject) => {
    expect(validate(undefined, { operation: 'DELETE', oldObject })).toMatchObject({ allowed: true });
  });

  test.each(others)('looks at nothing else: %s is allowed', (_, more) => {
    expect(validate({}, more)).toEqual({ allowed: true });
  });

  test.each(misdirected)('refuses, with what came and what it takes, %s', (_, more, message) => {
    const answer = validate(sidecarSet(), more);
    expect(answer).toMatchObject({ allowed: false, code: 400, reason: 'BadRequest' });
    expect(answer).toHaveProperty('message', expect.stringContaining(message));
  });

  test.each(unreadable)('refuses %s', (_, object) => {
    expect(validate(object)).toMatchObject({ allowed: false, code: 400 });
  });
});
