import { expect } from '@jest/globals';
import { answerOf, reviewsWith, STORED_SETS } from '../../test/fuzz/admission.js';
import { fuzz } from '../../test/fuzz/cases.js';
import { demandGoodPod, verdictOf } from '../../test/fuzz/judge.js';
import { PIECES, PODS, RICH_POD } from '../../test/fuzz/samples.js';
import { podRequest, review } from '../../test/reviews.js';
import type { AdmissionRequest } from '../admission/review.js';

const reviews = reviewsWith(STORED_SETS);

fuzz(
  'pods',
  'a damaged pod gets an answer that an API server takes, and an injection breaks no rule',
  PIECES,
  async (mutations, show) => {
    const request = podRequest(mutations.pick(PODS));
    // Mostly the pod: damage to the envelope ends at the first check.
    const damaged =
      mutations.below(8) === 0
        ? mutations.damage(request)
        : { ...request, object: withLabel(mutations.damage(request.object as object)) };
    const body = review(damaged);
    show(body);
    const answer = await answerOf(reviews, 'mutate-pod', body);
    if (answer === undefined) return;
    const sent = (JSON.parse(body) as { request: AdmissionRequest }).request;
    demandGoodPod(sent.object, verdictOf(answer, sent, 'mutating'));
  },
);

fuzz('podText', 'a broken body is refused as no review, or answered', PIECES, async (mutations, show) => {
  const body = mutations.damageText(review(podRequest(mutations.pick(PODS))));
  show(body);
  await answerOf(reviews, 'mutate-pod', body);
  expect({}).not.toHaveProperty('polluted');
});

/** As most pods that reach the injection at all. */
function withLabel(pod: unknown): unknown {
  const labels = (pod as typeof RICH_POD | undefined)?.metadata?.labels;
  if (typeof labels === 'object' && labels !== null && !Array.isArray(labels)) Object.assign(labels, { app: 'web' });
  return pod;
}
