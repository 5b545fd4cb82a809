import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { HttpKubeApi, RateLimiter } from '@sidestep/kube';
import { type KubeSim, startKubeSim } from '@sidestep/testkit';
import { CRD } from '../cluster/kinds.js';
import { Registration } from './registration.js';

const eventually = async (what: string, holds: () => boolean) => {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

let sim: KubeSim;
let api: HttpKubeApi;
let registration: Registration;

afterEach(async () => {
  await registration.stop();
  api.close();
  await sim.stop();
});

test('an API server that is gone takes back nothing that was brought up to date before', async () => {
  const deploy = path.resolve(import.meta.dirname, '../../../../deploy');
  sim = await startKubeSim({ manifests: [path.join(deploy, 'crds')] });
  api = new HttpKubeApi({
    connection: { server: sim.url, credentials: async () => ({}) },
    limiter: new RateLimiter({ qps: 100, burst: 100 }),
  });
  const failures: string[] = [];
  const wanted = { caBundle: 'bundle', url: 'https://127.0.0.1:1' };
  const onError = (target: string) => failures.push(target);
  registration = new Registration({ api, onError, onInstalled: () => {} }, wanted);
  expect(registration.problem()).toContain('not looked at yet');
  registration.start();
  await eventually('all is brought up to date', () => registration.problem() === undefined);
  expect(JSON.stringify(await api.get(CRD, { name: 'sidecarsets.apps.kruise.io' }))).toContain('https://127.0.0.1:1');

  await sim.stop();
  registration.want({ ...wanted });
  await eventually('a look failed', () => failures.length > 0);
  expect(registration.problem()).toBeUndefined();

  registration.want({ ...wanted, caBundle: 'another' });
  expect(registration.problem()).toBeDefined();
});
