import { describe, expect, test } from '@jest/globals';
import { pod, podRequest, review } from '../../test/reviews.js';
import { MalformedReview, parseAdmissionReview, renderAnswer } from './review.js';

describe('reading an AdmissionReview', () => {
  test.each(['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'])('of %s gives its request', (apiVersion) => {
    const request = { ...podRequest(pod()), subResource: '', dryRun: undefined };
    expect(parseAdmissionReview(review(request, apiVersion))).toEqual({ apiVersion, request: podRequest(pod()) });
  });

  test.each<[string, string, string]>([
    ['no JSON', 'hello', 'the body is not JSON'],
    ['nothing', '', 'the body is not JSON'],
    ['half of one', review(podRequest(pod())).slice(0, 300), 'the body is not JSON'],
    ['null', 'null', 'not a JSON object'],
    ['a list', '[]', 'not a JSON object'],
    ['another kind', '{"kind":"Pod","apiVersion":"v1"}', 'not an AdmissionReview'],
    ['another version', review(podRequest(pod()), 'admission.k8s.io/v9'), 'not an AdmissionReview'],
    ['no request', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 'has no request'],
    [
      'a request that is a list',
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":[]}',
      'has no request',
    ],
    ['no uid', review({ ...podRequest(pod()), uid: undefined }), 'has no uid'],
    ['an empty uid', review({ ...podRequest(pod()), uid: '' }), 'has no uid'],
    ['a uid that is a number', review({ ...podRequest(pod()), uid: 7 }), 'has no uid'],
    ['only depth', '['.repeat(200_000), 'the body is not JSON'],
  ])('refuses %s', (_, body, message) => {
    expect(() => parseAdmissionReview(body)).toThrow(MalformedReview);
    expect(() => parseAdmissionReview(body)).toThrow(message);
  });

  test('takes fields of wrong types for absent', () => {
    const { request } = parseAdmissionReview(
      review({ uid: 'u', kind: 1, resource: [], operation: {}, namespace: 7, dryRun: 'yes' }),
    );
    expect(request).toMatchObject({ kind: { kind: '' }, resource: { resource: '' }, operation: '', dryRun: false });
    expect(request).not.toHaveProperty('namespace');
  });
});

describe('an answer', () => {
  const v1 = { apiVersion: 'admission.k8s.io/v1' as const };

  test('carries its patch in base64', () => {
    const patch = [{ op: 'add' as const, path: '/a', value: 'ü' }];
    const { response } = JSON.parse(renderAnswer(v1, 'u', { allowed: true, patch }));
    expect(response).toMatchObject({ uid: 'u', allowed: true, patchType: 'JSONPatch' });
    expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).toEqual(patch);
  });

  test.each([
    [{ allowed: true as const }, { uid: 'u', allowed: true }],
    [
      { allowed: true as const, patch: [], warnings: [] },
      { uid: 'u', allowed: true },
    ],
    [
      { allowed: true as const, warnings: ['w'] },
      { uid: 'u', allowed: true, warnings: ['w'] },
    ],
    [
      { allowed: false as const, code: 422, reason: 'Invalid', message: 'm' },
      { uid: 'u', allowed: false, status: { status: 'Failure', code: 422, reason: 'Invalid', message: 'm' } },
    ],
  ])('%j is sent as %j', (answer, response) => {
    expect(JSON.parse(renderAnswer({ apiVersion: 'admission.k8s.io/v1beta1' }, 'u', answer))).toEqual({
      apiVersion: 'admission.k8s.io/v1beta1',
      kind: 'AdmissionReview',
      response,
    });
  });
});
