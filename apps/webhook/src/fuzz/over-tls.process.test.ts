import { afterAll, beforeAll, describe } from '@jest/globals';
import { STORED_SETS } from '../../test/fuzz/admission.js';
import { fuzz } from '../../test/fuzz/cases.js';
import { demand } from '../../test/fuzz/judge.js';
import { PIECES, PODS, SETS } from '../../test/fuzz/samples.js';
import { type FuzzStage, PODS_PATH, SETS_PATH, startStageWith } from '../../test/fuzz/stage.js';
import type { Mutations } from '../../test/mutations.js';
import { podRequest, review, sidecarSetRequest } from '../../test/reviews.js';

const PATHS = ['/mutate-pod', '/mutate-apps-kruise-io-sidecarset', '/validate-apps-kruise-io-sidecarset', '/convert'];
const TYPES = ['application/json', 'application/json', 'application/json; charset=utf-8', 'text/plain', ''];

describe('a webhook behind TLS', () => {
  let stage: FuzzStage;

  beforeAll(async () => {
    stage = await startStageWith(STORED_SETS, PODS[0], '"plain"');
  }, 180_000);

  afterAll(() => stage?.stop(), 60_000);

  fuzz('overTls', 'answers every body, and stays ready', PIECES, async (mutations, show) => {
    const request = mutations.pick([podRequest(mutations.pick(PODS)), sidecarSetRequest(mutations.pick(SETS))]);
    const isText = mutations.below(4) === 0;
    const body = isText ? mutations.damageText(review(request)) : review(mutations.damage(request));
    show(body);
    const { status } = await stage.post(mutations.pick(PATHS), body, mutations.pick(TYPES));
    demand([200, 400, 413, 415].includes(status), `has the status ${status}`);
    if (mutations.below(50) === 0) demand(await stage.isReady(), 'comes from a webhook that is not ready any more');
  });

  fuzz(
    'podsThroughApiServer',
    'refuses no pod that the API server takes as it is but in words',
    PIECES,
    async (mutations, show) => {
      const pod = damagedSpec(mutations, mutations.pick(PODS));
      show(pod);
      const { status, text } = await stage.dryRun(PODS_PATH, withMetadata(pod, {}));
      if (status === 201 || text.includes('denied the request: ')) return;
      const asItIs = await stage.dryRun(PODS_PATH, withMetadata(pod, { 'sidestep.dev/inject': 'false' }));
      demand(asItIs.status !== 201, `spoils a good pod: ${text}`);
    },
  );

  fuzz(
    'setsThroughApiServer',
    'lets SidecarSets be stored with their hashes, or refused in words',
    PIECES,
    async (mutations, show) => {
      const set = damagedSpec(mutations, mutations.pick(SETS));
      show(set);
      const { status, text } = await stage.dryRun(SETS_PATH, set);
      demand(status < 500, `makes the API server say ${text}`);
      demand(status !== 201 || text.includes('"kruise.io/sidecarset-hash"'), 'leaves out the hashes');
    },
  );
});

/** What an API server cannot read at all never gets to a webhook. */
function damagedSpec(mutations: Mutations, object: object): object {
  const { spec = {} } = object as { spec?: object };
  return { ...object, spec: mutations.damage(spec) };
}

const withMetadata = (pod: object, annotations: Record<string, string>): object => ({
  ...pod,
  metadata: { name: 'fuzzed', labels: { app: 'web' }, annotations },
});
