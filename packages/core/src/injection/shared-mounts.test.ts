import { expect, test } from '@jest/globals';
import type { EnvVar, Pod } from '../api/kubernetes.js';
import { sharedMounts } from './shared-mounts.js';

const podWith = (env: EnvVar[], subPathExpr: string): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'app', image: 'a', env, volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr }] }] },
});

const envOf = (env: EnvVar[], subPathExpr: string) =>
  sharedMounts(podWith(env, subPathExpr), { mounts: true, devices: false }).env;

test('the envs of a sub path come along once each, in the order of the path, the first of two with one name', () => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
    { name: 'A', value: '3' },
  ];
  expect(envOf(env, '$(B)/$(A)/$(NONE)/$(B)')).toEqual([env[1], env[0]]);
});

test('a path that names one of very many envs very often costs one look at each', () => {
  const env = Array.from({ length: 50_000 }, (_, index) => ({ name: `E${index}`, value: '' }));
  expect(envOf(env, '$(E49999)'.repeat(200_000))).toEqual([env[49_999]]);
});
