import { expect, test } from '@jest/globals';
import { answerOf, reviewsWith, STORED_SETS } from '../../test/fuzz/admission.js';
import { verdictOf } from '../../test/fuzz/judge.js';
import { PIECES, RICH_POD, RICH_SET } from '../../test/fuzz/samples.js';
import { Mutations } from '../../test/mutations.js';
import { podRequest, review, sidecarSetRequest } from '../../test/reviews.js';

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
