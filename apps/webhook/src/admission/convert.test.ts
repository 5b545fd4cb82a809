import { describe, expect, test } from '@jest/globals';
import { sidecarSet } from '../../test/reviews.js';
import { convertReview } from './convert.js';
import { MalformedReview } from './review.js';

const V1ALPHA1 = 'apps.kruise.io/v1alpha1';

const convert = (request: object) => {
  const body = JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: { uid: 'u', ...request },
  });
  const { body: answer, succeeded } = convertReview(body);
  return { succeeded, ...JSON.parse(answer) };
};

describe('a conversion', () => {
  test('answers with every object in the wanted version', () => {
    const objects = [sidecarSet({}, 'a'), { ...sidecarSet({}, 'b'), apiVersion: V1ALPHA1 }];
    expect(convert({ desiredAPIVersion: V1ALPHA1, objects })).toEqual({
      succeeded: true,
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: {
        uid: 'u',
        result: { status: 'Success' },
        convertedObjects: [
          { ...objects[0], apiVersion: V1ALPHA1 },
          { ...objects[1], apiVersion: V1ALPHA1 },
        ],
      },
    });
  });

  test('of no objects gives none', () => {
    expect(convert({ desiredAPIVersion: V1ALPHA1, objects: [] })).toMatchObject({
      succeeded: true,
      response: { convertedObjects: [] },
    });
  });

  test('reads a set that was stored without a spec, so that it can be deleted', () => {
    const objects = [{ ...sidecarSet(), spec: undefined }];
    expect(convert({ desiredAPIVersion: V1ALPHA1, objects })).toMatchObject({ succeeded: true });
  });

  test.each<[string, object]>([
    ['an unknown version', { desiredAPIVersion: 'apps.kruise.io/v9', objects: [sidecarSet()] }],
    [
      'an unknown version to come from',
      { desiredAPIVersion: V1ALPHA1, objects: [{ ...sidecarSet(), apiVersion: 'x/v1' }] },
    ],
    ['no version', { objects: [sidecarSet()] }],
    ['objects that are no list', { desiredAPIVersion: V1ALPHA1, objects: {} }],
    ['an object that is none', { desiredAPIVersion: V1ALPHA1, objects: ['set'] }],
    ['an object of another kind', { desiredAPIVersion: V1ALPHA1, objects: [{ ...sidecarSet(), kind: 'Pod' }] }],
    ['an object without metadata', { desiredAPIVersion: V1ALPHA1, objects: [{ ...sidecarSet(), metadata: null }] }],
    ['a spec that is text', { desiredAPIVersion: V1ALPHA1, objects: [{ ...sidecarSet(), spec: 'containers' }] }],
    ['a spec that is a list', { desiredAPIVersion: V1ALPHA1, objects: [{ ...sidecarSet(), spec: [] }] }],
  ])('fails for %s, converts nothing, and says why', (_, request) => {
    expect(convert(request)).toMatchObject({
      succeeded: false,
      response: { uid: 'u', convertedObjects: [], result: { status: 'Failure', message: expect.stringMatching(/./) } },
    });
  });

  test.each<[string, unknown]>([
    ['another kind', { apiVersion: 'apiextensions.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u' } }],
    ['another group', { apiVersion: 'v1', kind: 'ConversionReview', request: { uid: 'u' } }],
    ['no request', { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' }],
    ['no uid', { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request: {} }],
  ])('cannot be answered in %s', (_, body) => {
    expect(() => convertReview(JSON.stringify(body))).toThrow(MalformedReview);
  });
});
