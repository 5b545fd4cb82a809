import { applyJsonPatch, type JsonPatch } from '@sidestep/core';
import { parseJson, replaceNumbers } from '@sidestep/kube';
import { answerOf, reviewsWith, STORED_SETS } from '../../test/fuzz/admission.js';
import { fuzz } from '../../test/fuzz/cases.js';
import { demand, demandGoodPod, verdictOf } from '../../test/fuzz/judge.js';
import { isSameJson } from '../../test/fuzz/same-json.js';
import { PIECES, PODS, SETS } from '../../test/fuzz/samples.js';
import { hostileText } from '../../test/hostile-text.js';
import { podRequest, review, sidecarSetRequest } from '../../test/reviews.js';
import type { AdmissionRequest } from '../admission/review.js';

const reviews = reviewsWith(STORED_SETS);

/** With each number as a text of its digits. */
const literally = <T>(text: string): T => JSON.parse(replaceNumbers(text, (number) => `"number ${number}"`)) as T;

fuzz(
  'hostilePods',
  'hostile text around a pod gets a good answer, which loses no digit',
  PIECES,
  async (mutations, show) => {
    const body = hostileText(mutations, review(podRequest(mutations.pick(PODS))));
    show(body);
    const answer = await answerOf(reviews, 'mutate-pod', body);
    if (answer === undefined) return;
    const sent = (parseJson(body) as { request: AdmissionRequest }).request;
    demandGoodPod(sent.object, verdictOf(answer, sent, 'mutating'));
    demandEveryDigit(body, answer);
  },
);

fuzz(
  'hostileSets',
  'hostile text around a SidecarSet gets a good answer, which loses no digit',
  PIECES,
  async (mutations, show) => {
    const webhook = mutations.pick(['mutate-sidecarset', 'validate-sidecarset'] as const);
    const body = hostileText(mutations, review(sidecarSetRequest(mutations.pick(SETS))));
    show(body);
    const answer = await answerOf(reviews, webhook, body);
    if (answer === undefined) return;
    const sent = (parseJson(body) as { request: AdmissionRequest }).request;
    verdictOf(answer, sent, webhook === 'mutate-sidecarset' ? 'mutating' : 'validating');
    demandEveryDigit(body, answer);
  },
);

const VERSIONS = ['apps.kruise.io/v1alpha1', 'apps.kruise.io/v1beta1'] as const;

interface Conversion {
  response: { result: { status: string; message?: string }; convertedObjects: unknown[] };
}

fuzz(
  'hostileConversions',
  'a hostile SidecarSet is refused, or comes back as it was',
  PIECES,
  async (mutations, show) => {
    const object = hostileText(mutations, JSON.stringify(mutations.pick(SETS)));
    show(object);
    const from = literally<{ apiVersion?: unknown }>(object).apiVersion;
    const to = VERSIONS.find((version) => version !== from) ?? VERSIONS[0];
    const there = await converted(object, to);
    if (there === undefined) return;
    const back = await converted(there, String(from));
    demand(back !== undefined, 'cannot be converted back');
    demand(isSameJson(withSpec(object), withSpec(back)), `comes back as ${back}`);
  },
);

/** The text of the one object. */
async function converted(object: string, desiredAPIVersion: string): Promise<string | undefined> {
  const request = `{"uid":"u","desiredAPIVersion":${JSON.stringify(desiredAPIVersion)},"objects":[${object}]}`;
  const body = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":${request}}`;
  const answer = (await answerOf(reviews, 'convert', body)) ?? '';
  const { result, convertedObjects } = literally<Conversion>(answer).response;
  if (result.status !== 'Success') {
    demand(Boolean(result.message), 'gives no reason');
    return undefined;
  }
  demand(convertedObjects.length === 1, 'has another number of objects');
  return answer.slice(
    answer.indexOf('"convertedObjects":[') + '"convertedObjects":['.length,
    answer.lastIndexOf('],"result"'),
  );
}

/** A set without a spec has an empty one after a conversion. */
const withSpec = (text: string): unknown => {
  const object = literally<{ spec?: unknown }>(text);
  return { ...object, spec: object.spec ?? {} };
};

/** Whatever the patch does not touch is as it was sent; what it replaces is ours. */
function demandEveryDigit(body: string, answer: string): void {
  const { patch } = (JSON.parse(answer) as { response: { patch?: string } }).response;
  if (patch === undefined) return;
  const text = Buffer.from(patch, 'base64').toString();
  const operations = literally<JsonPatch>(text);
  if (operations.some(({ op }) => op !== 'add')) return;
  const { object } = literally<{ request: { object: unknown } }>(body).request;
  const stored = numbersIn(applyJsonPatch(object, operations));
  for (const [number, count] of numbersIn(object)) {
    demand((stored.get(number) ?? 0) >= count, `loses a ${number}`);
  }
}

function numbersIn(root: unknown): Map<string, number> {
  const counts = new Map<string, number>();
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string' && value.startsWith('number ')) counts.set(value, (counts.get(value) ?? 0) + 1);
    else if (typeof value === 'object' && value !== null)
      open.push(...Object.values(value).filter((each) => each !== undefined));
  }
  return counts;
}
