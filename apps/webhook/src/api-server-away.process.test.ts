import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STORED_SETS } from '../test/fuzz/admission.js';
import { type FuzzStage, startStageWith } from '../test/fuzz/stage.js';
import { pod, podRequest, review } from '../test/reviews.js';

const owner = (apiVersion: string, kind: string) => [
  { apiVersion, kind, name: 'owner', uid: 'owner-1', controller: true, blockOwnerDeletion: true },
];
const ownedPod = (owners: object[]) => {
  const { metadata, ...rest } = pod();
  return { ...rest, metadata: { ...metadata, ownerReferences: owners } };
};

interface Answer {
  response: { allowed: boolean; patch?: string };
}

/**
 * OpenKruise looks the owner of a pod up, thirty times a second at most, and its manager ends with its webhook when the API server
 * is away for longer than its lease.
 */
describe('a webhook whose API server answers nobody', () => {
  let stage: FuzzStage;

  beforeAll(async () => {
    stage = await startStageWith(STORED_SETS, pod(), '"plain"');
    stage.freezeApiServer();
  }, 180_000);

  afterAll(async () => {
    stage?.thawApiServer();
    await stage?.stop();
  }, 60_000);

  test.each([
    ['a ReplicaSet', owner('apps/v1', 'ReplicaSet')],
    ['a DaemonSet', owner('apps/v1', 'DaemonSet')],
    ['a Job', owner('batch/v1', 'Job')],
    ['an owner of a kind that nobody knows', owner('example.com/v1', 'Fleet')],
    ['nobody', []],
  ])('injects the pods of %s all the same, for it asks nobody', async (_, owners) => {
    const request = review(podRequest(ownedPod(owners), { namespace: 'default' }));
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => stage.post('/mutate-pod', request, 'application/json')),
    );
    for (const { status, text } of answers) {
      const { response } = JSON.parse(text) as Answer;
      expect({ status, allowed: response.allowed }).toEqual({ status: 200, allowed: true });
      expect(Buffer.from(response.patch ?? '', 'base64').toString()).toContain('"plain"');
    }
  });
});
