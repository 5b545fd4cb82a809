import { expect, test } from '@jest/globals';
import { answerOf, reviewsWith, STORED_SETS } from '../../test/fuzz/admission.js';
import { verdictOf } from '../../test/fuzz/judge.js';
import { PIECES, RICH_POD, RICH_SET } from '../../test/fuzz/samples.js';
import { Mutations } from '../../test/mutations.js';
import { pod, podRequest, review, sidecarSet, sidecarSetRequest } from '../../test/reviews.js';
import { convertReview } from './convert.js';

// A taste of src/fuzz, for those who do not wait for a hundred thousand.
const RUNS = 150;
const SEED = 4_711;

const reviews = reviewsWith(STORED_SETS);

test.each([
  ['mutate-pod' as const, podRequest(RICH_POD)],
  ['mutate-sidecarset' as const, sidecarSetRequest(RICH_SET)],
  ['validate-sidecarset' as const, sidecarSetRequest(RICH_SET, { operation: 'UPDATE', oldObject: RICH_SET })],
])(
  'whatever is sent to %s gets an answer that an API server takes, or is refused as no review',
  async (webhook, request) => {
    const type = webhook.startsWith('mutate') ? 'mutating' : 'validating';
    const mutations = new Mutations(SEED, PIECES);
    for (let run = 0; run < RUNS; run++) {
      const body = review(mutations.damage(request));
      const answer = await answerOf(reviews, webhook, body);
      if (answer === undefined) continue;
      expect(() => verdictOf(answer, JSON.parse(body).request, type)).not.toThrow();
    }
    expect({}).not.toHaveProperty('polluted');
  },
);

/** Deep enough to be parsed and too deep to be printed. */
const deepText = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const DEEP = '"deep"';
const LEVELS = 20_000;

test('what is too deep to be printed is refused as such, where a sidecar would get it', async () => {
  const container = { name: 'a', image: 'a', env: [{ name: 'E', valueFrom: 'deep' }] };
  const sidecar = { name: 'mesh', image: 'm', transferEnv: [{ sourceContainerName: 'a', envName: 'E' }] };
  const stored = sidecarSet({ selector: { matchLabels: { app: 'web' } }, containers: [sidecar] });
  const request = podRequest({ ...pod(), spec: { containers: [container] } });
  const body = review(request).replaceAll(DEEP, deepText(LEVELS));
  const answer = JSON.parse((await answerOf(reviewsWith([stored]), 'mutate-pod', body)) ?? '');
  expect(answer.response).toMatchObject({ allowed: false, status: { code: 400 } });
});

test('what is too deep to be printed is not converted', () => {
  const request = {
    uid: 'u',
    desiredAPIVersion: 'apps.kruise.io/v1alpha1',
    objects: [sidecarSet({ containers: [{ name: 'a', unknown: 'deep' }] })],
  };
  const body = JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request });
  const { body: answer, succeeded } = convertReview(body.replaceAll(DEEP, deepText(LEVELS)));
  expect(succeeded).toBe(false);
  expect(JSON.parse(answer).response).toMatchObject({ uid: 'u', convertedObjects: [], result: { status: 'Failure' } });
});

test('a text of backslashes beside a number of 64 bits is converted like any other', () => {
  const args = ['\\'.repeat(1_000_000), '\\"'.repeat(100_000)];
  const request = {
    uid: 'u',
    desiredAPIVersion: 'apps.kruise.io/v1alpha1',
    objects: [sidecarSet({ containers: [{ name: 'a', args, number: 'big' }] })],
  };
  const body = JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request });
  const { body: answer } = convertReview(body.replace('"big"', '9223372036854775807'));
  expect(answer).toContain('"number":9223372036854775807}');
  expect(JSON.parse(answer).response.convertedObjects[0].spec.containers[0].args).toEqual(args);
});
