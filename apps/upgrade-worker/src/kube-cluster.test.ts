import { describe, expect, test } from '@jest/globals';
import type { FullPod } from '@sidestep/core';
import { type KubeApi, KubeError } from '@sidestep/kube';
import { KubeCluster } from './kube-cluster.js';

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'test-shop', resourceVersion: '7' },
  spec: { containers: [{ name: 'mesh-1', image: 'mesh:1' }] },
} as FullPod;
const PATCH = [{ op: 'replace' as const, path: '/spec/containers/0/image', value: 'mesh:2' }];

const answered = (status: number, reason: string, message: string) => {
  const patch = () => Promise.reject(new KubeError({ status, reason, message }));
  return new KubeCluster({ patch } as unknown as KubeApi, 'kruise-system', 'lease').patchPod(POD, PATCH);
};

describe('the write of a pod', () => {
  test.each([
    [409, 'Conflict', 'the object has been modified', { kind: 'conflict' }],
    [404, 'NotFound', 'pods "web" not found', { kind: 'gone' }],
  ])('that is answered with %i %s is told as such', async (status, reason, message, expected) => {
    expect(await answered(status, reason, message)).toEqual(expected);
  });

  test.each([
    [422, 'Invalid', 'Pod "web" is invalid: image mesh:latest is not allowed in test-shop'],
    [403, 'Forbidden', 'pods "web" is forbidden: user may not patch pods in test-shop'],
    [400, 'BadRequest', 'admission webhook "latest.example" denied the request'],
  ])('that is answered with %i %s is refused, whatever words the message has', async (status, reason, message) => {
    expect(await answered(status, reason, message)).toEqual({ kind: 'refused', message });
  });

  test.each([
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
  ])('that is answered with %i %s is tried again by the queue', async (status, reason) => {
    await expect(answered(status, reason, 'no')).rejects.toMatchObject({ status });
  });
});
