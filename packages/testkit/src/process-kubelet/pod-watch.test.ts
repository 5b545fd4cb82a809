import { expect, test } from '@jest/globals';
import type { KubeApi, KubeObject, WriteOptions } from '@sidestep/kube';
import { bindPodsTo } from './pod-watch.js';

/** An API server that holds these pods for ever. */
const serving = (items: KubeObject[], create: (object: KubeObject, options: WriteOptions) => Promise<unknown>) =>
  ({
    list: () => Promise.resolve({ items, metadata: { resourceVersion: '1' } }),
    async *watch(_kind: unknown, _options: unknown, signal: AbortSignal) {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
    create: (_kind: unknown, object: KubeObject, options: WriteOptions) => create(object, options),
  }) as unknown as KubeApi;

const pod = (name: string, spec: object, more: object = {}): KubeObject => ({
  metadata: { name, namespace: 'lab', uid: name, resourceVersion: '1', ...more },
  spec: { containers: [], ...spec },
});

test('pods without a node are bound to this one; those that have one, or are being deleted, are left alone', async () => {
  const pods = [
    pod('homeless', {}),
    pod('housed', { nodeName: 'n' }),
    pod('leaving', {}, { deletionTimestamp: 'now' }),
  ];
  const bound: unknown[] = [];
  const api = serving(pods, async (object, options) => bound.push([object.metadata.name, object.target, options]));
  const reflector = bindPodsTo(api, 'node-1', (error) => bound.push(error));
  reflector.start();
  await reflector.synced();
  await reflector.stop();
  expect(bound).toEqual([['homeless', { apiVersion: 'v1', kind: 'Node', name: 'node-1' }, { subresource: 'binding' }]]);
});

test('a binding that is refused is told', async () => {
  const failure = new Error('no such path');
  const api = serving([pod('homeless', {})], () => Promise.reject(failure));
  const told = new Promise((resolve) => {
    const reflector = bindPodsTo(api, 'node-1', (error) => void reflector.stop().then(() => resolve(error)));
    reflector.start();
  });
  expect(await told).toBe(failure);
});
