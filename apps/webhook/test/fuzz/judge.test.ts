import { describe, expect, test } from '@jest/globals';
import { podRequest, pod as somePod } from '../reviews.js';
import { demandGoodPod, verdictOf } from './judge.js';

const request = podRequest(somePod());
const encoded = (patch: unknown) => Buffer.from(JSON.stringify(patch)).toString('base64');

const answer = (response: object, more: object = {}) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'request-1', allowed: true, ...response },
    ...more,
  });

const patching = (patch: unknown, more: object = {}) =>
  answer({ patchType: 'JSONPatch', patch: encoded(patch), ...more });

const mesh = { op: 'add', path: '/spec/containers/-', value: { name: 'mesh', image: 'mesh:v1' } };

describe('the judge of answers', () => {
  test('takes what an API server takes, and says what became of the object', () => {
    expect(verdictOf(answer({}), request, 'mutating')).toMatchObject({ allowed: true, changed: false });
    const { object } = verdictOf(patching([mesh]), request, 'mutating') as {
      object: { spec: { containers: object[] } };
    };
    expect(object.spec.containers).toEqual([{ name: 'app', image: 'app:v1' }, mesh.value]);
    const refusal = answer({ allowed: false, status: { code: 422, message: 'no' } });
    expect(verdictOf(refusal, request, 'validating')).toEqual({ allowed: false });
  });

  test.each([
    ['of another kind', answer({}, { kind: 'Review' })],
    ['to another request', answer({ uid: 'request-2' })],
    ['without a decision', answer({ allowed: 'yes' })],
    ['with a patch without a type', patching([mesh], { patchType: undefined })],
    ['with a type without a patch', answer({ patchType: 'JSONPatch' })],
    ['with warnings that are no texts', answer({ warnings: [1] })],
    ['with a patch that misses its place', patching([{ ...mesh, path: '/spec/containers/7' }])],
    ['with a patch that removes nothing', patching([{ op: 'remove', path: '/metadata/annotations' }])],
    ['with an empty patch', patching([])],
    ['that refuses without a reason', answer({ allowed: false, status: { code: 422, message: '' } })],
    ['that hides a fault', answer({ allowed: false, status: { code: 500, message: 'internal error' } })],
  ])('takes no answer %s', (_, body) => {
    expect(() => verdictOf(body, request, 'mutating')).toThrow('the answer ');
  });

  test('takes no patch from a validating webhook', () => {
    expect(() => verdictOf(patching([mesh]), request, 'validating')).toThrow('has a patch that nobody takes');
  });

  test.each([
    ['two containers of one name', { name: 'app', image: 'a' }],
    ['a container without an image', { name: 'b' }],
    ['a mount of no volume', { name: 'b', image: 'b', volumeMounts: [{ name: 'v' }] }],
  ])('sees a pod that got %s', (problem, value) => {
    const verdict = verdictOf(patching([{ ...mesh, value }]), request, 'mutating');
    expect(() => demandGoodPod(request.object, verdict)).toThrow(`gives the pod ${problem}`);
    expect(() => demandGoodPod(request.object, verdict, ['every matching pod is refused'])).not.toThrow();
  });
});
