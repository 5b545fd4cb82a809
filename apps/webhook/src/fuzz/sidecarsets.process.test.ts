import { expect } from '@jest/globals';
import type { SidecarSet } from '@sidestep/core';
import { answerOf, reviewsWith, STORED_SETS } from '../../test/fuzz/admission.js';
import { fuzz } from '../../test/fuzz/cases.js';
import { demand, demandGoodPod, type Verdict, verdictOf } from '../../test/fuzz/judge.js';
import { PIECES, PODS, RICH_SET, SETS } from '../../test/fuzz/samples.js';
import type { Mutations } from '../../test/mutations.js';
import { podRequest, review, sidecarSetRequest } from '../../test/reviews.js';
import type { AdmissionRequest } from '../admission/review.js';
import type { Webhook } from '../admission/reviews.js';

const reviews = reviewsWith(STORED_SETS);
const CONVERSION = 'apiextensions.k8s.io/v1';
const VERSIONS = ['apps.kruise.io/v1alpha1', 'apps.kruise.io/v1beta1'];

fuzz(
  'sidecarSets',
  'a damaged SidecarSet is refused in words, or stored once and for all and injected',
  PIECES,
  async (mutations, show) => {
    const sample = mutations.pick(SETS);
    const set = throughJson(mutations.damage(sample));
    show(set);
    const mutated = await ask('mutate-sidecarset', sidecarSetRequest(set));
    if (!mutated.allowed) return;
    const again = await ask('mutate-sidecarset', sidecarSetRequest(mutated.object));
    demand(again.allowed && !again.changed, 'changes a SidecarSet that it has changed before');
    const update = mutations.below(2) === 0 ? { operation: 'UPDATE', oldObject: sample } : {};
    const validated = await ask('validate-sidecarset', sidecarSetRequest(mutated.object, update));
    if (validated.allowed) await injected(mutations, mutated.object as SidecarSet, validated.warnings);
  },
);

fuzz('sidecarSetText', 'a broken body is refused as no review, or answered', PIECES, async (mutations, show) => {
  const body = mutations.damageText(review(sidecarSetRequest(mutations.pick(SETS))));
  show(body);
  await answerOf(reviews, mutations.pick(['mutate-sidecarset', 'validate-sidecarset']), body);
  expect({}).not.toHaveProperty('polluted');
});

fuzz(
  'conversions',
  'whatever is to be converted is converted, or refused with a reason',
  PIECES,
  async (mutations, show) => {
    const objects = [mutations.pick(SETS), RICH_SET];
    const request = mutations.damage({ uid: 'u', desiredAPIVersion: mutations.pick(VERSIONS), objects });
    const body = JSON.stringify({ apiVersion: CONVERSION, kind: 'ConversionReview', request });
    show(body);
    const answer = await answerOf(reviews, 'convert', body);
    if (answer === undefined) return;
    const sent = (JSON.parse(body) as { request: { uid: string; objects: unknown[]; desiredAPIVersion: string } })
      .request;
    const { response } = JSON.parse(answer) as {
      response: {
        uid: string;
        convertedObjects: { apiVersion: string }[];
        result: { status: string; message?: string };
      };
    };
    demand(response.uid === sent.uid, 'has another uid');
    if (response.result.status !== 'Success') return demand(Boolean(response.result.message), 'gives no reason');
    demand(response.convertedObjects.length === sent.objects.length, 'has another number of objects');
    const isWanted = response.convertedObjects.every(({ apiVersion }) => apiVersion === sent.desiredAPIVersion);
    demand(isWanted, 'has objects of another version');
  },
);

/** What a set does to a pod that it selects. */
async function injected(mutations: Mutations, stored: SidecarSet, foretold: readonly string[]): Promise<void> {
  const { namespaceSelector: _, ...spec } = stored.spec;
  const selecting = { ...stored, spec: { ...spec, selector: { matchLabels: { app: 'web' } } } };
  const pod = structuredClone(mutations.pick(PODS)) as { metadata: { labels?: object } };
  pod.metadata.labels = { ...pod.metadata.labels, app: 'web' };
  const request = podRequest(pod);
  const answer = await reviewsWith([selecting]).answer('mutate-pod', review(request));
  demandGoodPod(pod, verdictOf(answer.body, request, 'mutating'), foretold);
}

async function ask(webhook: Webhook, request: AdmissionRequest): Promise<Verdict> {
  const { body } = await reviews.answer(webhook, review(request));
  return verdictOf(body, request, webhook === 'mutate-sidecarset' ? 'mutating' : 'validating');
}

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
