import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HttpKubeApi, type KubeError, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, eventually, refusal, Watching } from '../kube-contract/subject.js';
import { FaultRules, type FaultSubject, seededRandom } from './faults.js';
import { startKubeSim } from './start.js';
import type { KubeSim } from './types.js';

describe('faults of kube-sim', () => {
  let folder: string;
  let sim: KubeSim;
  let api: HttpKubeApi;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sidestep-faults-'));
    const kubeconfigFile = path.join(folder, 'kubeconfig');
    sim = await startKubeSim({ kubeconfigFile });
    api = new HttpKubeApi({
      connection: loadKubeConfig({ kubeconfig: kubeconfigFile }),
      limiter: new RateLimiter({ qps: 1000, burst: 1000 }),
      maxDeferrals: 0,
      userAgent: 'faults-test',
    });
  });

  afterEach(async () => {
    api.close();
    await sim.stop();
    await rm(folder, { recursive: true });
  });

  const write = (name: string): Promise<unknown> => api.create(CONFIG_MAPS, configMap('default', name));
  const exists = (name: string): Promise<boolean> =>
    api.get(CONFIG_MAPS, { namespace: 'default', name }).then(
      () => true,
      () => false,
    );
  const watch = async (): Promise<Watching> => {
    const { metadata } = await api.list(CONFIG_MAPS, { namespace: 'default' });
    const watching = new Watching(api, CONFIG_MAPS, {
      namespace: 'default',
      resourceVersion: metadata.resourceVersion ?? '',
    });
    await eventually('the watch to be open', () => (sim.stats().openWatches > 0 ? true : undefined));
    return watching;
  };

  test.each([
    [409, 'Conflict'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
  ])('%i is answered as often as asked, and nothing is done', async (code, reason) => {
    sim.faults.add({
      match: { verbs: ['create'], resource: 'configmaps' },
      count: 1,
      effect: { kind: 'status', code },
    });
    expect(await refusal(write('a'))).toMatchObject({ status: code, reason });
    expect(await exists('a')).toBe(false);
    await write('a');
    expect(sim.faults.list()).toMatchObject([{ hits: 1 }]);
  });

  test('429 carries the seconds to wait in the header', async () => {
    sim.faults.add({ effect: { kind: 'status', code: 429, retryAfterSeconds: 7 } });
    const error = (await write('a').catch((caught: unknown) => caught)) as KubeError;
    expect(error.retryAfterMs).toBe(7000);
  });

  test('a write whose answer is cut off has happened', async () => {
    sim.faults.add({ match: { verbs: ['create'] }, count: 1, effect: { kind: 'disconnectAfter' } });
    expect(await refusal(write('a'))).toMatchObject({ status: 0 });
    expect(await exists('a')).toBe(true);
  });

  test('a write that is never answered has happened, too', async () => {
    sim.faults.add({ match: { verbs: ['create'] }, count: 1, effect: { kind: 'hangAfter' } });
    const created = api.withTimeout(1_500).create(CONFIG_MAPS, configMap('default', 'a'));
    expect(await refusal(created)).toMatchObject({ status: 0, reason: 'Timeout' });
    expect(await exists('a')).toBe(true);
  });

  test('a connection cut before the write leaves nothing behind', async () => {
    sim.faults.add({ match: { verbs: ['create'] }, count: 1, effect: { kind: 'disconnect' } });
    expect(await refusal(write('a'))).toMatchObject({ status: 0 });
    expect(await exists('a')).toBe(false);
  });

  test('a hanging request runs into the time-out of its client', async () => {
    sim.faults.add({ match: { verbs: ['create'] }, effect: { kind: 'hang' } });
    const created = api.withTimeout(300).create(CONFIG_MAPS, configMap('default', 'a'));
    expect(await refusal(created)).toMatchObject({ status: 0, reason: 'Timeout' });
  });

  test('a slow answer comes, but not before its time', async () => {
    sim.faults.add({ match: { verbs: ['create'] }, effect: { kind: 'delay', ms: 120 } });
    const started = performance.now();
    await write('a');
    expect(performance.now() - started).toBeGreaterThanOrEqual(115);
  });

  test('events are dropped, doubled and delayed past later ones', async () => {
    const watching = await watch();
    sim.faults.add({ match: { name: 'dropped' }, effect: { kind: 'dropEvent' } });
    sim.faults.add({ match: { name: 'twice' }, effect: { kind: 'duplicateEvent', types: ['ADDED'] } });
    sim.faults.add({ match: { name: 'late' }, effect: { kind: 'delayEvent', ms: 2_000 } });
    for (const name of ['dropped', 'late', 'twice']) await write(name);
    await watching.saw('ADDED late');
    expect(watching.seen()).toEqual(['ADDED twice', 'ADDED twice', 'ADDED late']);
    await watching.stop();
  });

  test('open watches can be cut; the client sees a broken connection', async () => {
    const watching = await watch();
    expect(sim.faults.cutWatches('pods')).toBe(0);
    expect(sim.faults.cutWatches()).toBe(1);
    expect(await watching.ended).toMatchObject({ status: 0 });
  });

  test('after a compaction resuming is refused with 410, and so is a half-read list', async () => {
    for (const name of ['a', 'b', 'c']) await write(name);
    const page = await api.list(CONFIG_MAPS, { limit: 1 });
    sim.faults.compact();
    const resumed = new Watching(api, CONFIG_MAPS, {
      resourceVersion: String(Number(page.metadata.resourceVersion) - 1),
    });
    expect(await resumed.ended).toMatchObject({ status: 410, reason: 'Expired' });
    const rest = await refusal(api.list(CONFIG_MAPS, { limit: 1, continue: page.metadata.continue ?? '' }));
    expect(rest).toMatchObject({ status: 410, reason: 'Expired' });
  });

  test('a frozen server answers nothing and sends no event until it thaws, then everything', async () => {
    const watching = await watch();
    sim.faults.freeze();
    const pending = api.create(CONFIG_MAPS, configMap('default', 'frozen'));
    const asked = api.withTimeout(300).get(CONFIG_MAPS, { namespace: 'default', name: 'x' });
    expect(await refusal(asked)).toMatchObject({
      reason: 'Timeout',
    });
    expect(watching.seen()).toEqual([]);
    sim.faults.thaw();
    await pending;
    await watching.saw('ADDED frozen');
    await watching.stop();
  });

  test('the same is there over HTTP for other processes', async () => {
    const call = async (method: string, at: string, body?: object): Promise<unknown> => {
      const answer = await fetch(`${sim.url}/sim/${at}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
      return answer.json();
    };
    const rule = { match: { verbs: ['create'], userAgent: 'faults-test' }, effect: { kind: 'status', code: 500 } };
    const { id } = (await call('POST', 'faults', rule)) as { id: string };
    expect(await refusal(write('a'))).toMatchObject({ status: 500 });
    expect(await call('GET', 'faults')).toMatchObject({ faults: [{ id, hits: 1 }] });
    await call('DELETE', `faults/${id}`);
    await write('a');
    expect(await call('POST', 'faults', { effect: { kind: 'nonsense' } })).toMatchObject({ code: 400 });
    const { requests } = (await call('GET', 'stats')) as ReturnType<KubeSim['stats']>;
    expect(requests).toContainEqual({
      verb: 'create',
      resource: 'configmaps',
      userAgent: 'faults-test',
      code: 500,
      count: 1,
    });
    await call('DELETE', 'stats');
    expect(sim.stats().requests).toEqual([]);
  });
});

describe('fault rules', () => {
  const subject = (over: Partial<FaultSubject> = {}): FaultSubject => ({
    verb: 'patch',
    resource: 'pods',
    subresource: undefined,
    namespace: 'shop',
    name: 'p1',
    userAgent: 'sidestep-worker/1',
    ...over,
  });
  const strikes = (match: object, over: Partial<FaultSubject> = {}): boolean => {
    const rules = new FaultRules(() => 0);
    rules.add({ match, effect: { kind: 'hang' } });
    return rules.forRequest(subject(over)) !== undefined;
  };

  test.each<[object, Partial<FaultSubject>, boolean]>([
    [{}, {}, true],
    [{ verbs: ['patch', 'update'] }, {}, true],
    [{ verbs: ['get'] }, {}, false],
    [{ resource: 'pods' }, { subresource: 'status' }, true],
    [{ resource: 'pods/status' }, {}, false],
    [{ resource: 'pods/' }, {}, true],
    [{ resource: 'pods/' }, { subresource: 'status' }, false],
    [{ resource: 'pods/status' }, { subresource: 'status' }, true],
    [{ namespace: 'shop', name: 'p1' }, {}, true],
    [{ namespace: 'other' }, {}, false],
    [{ userAgent: 'worker' }, {}, true],
    [{ userAgent: 'planner' }, {}, false],
  ])('%j on %j: %p', (match, over, expected) => {
    expect(strikes(match, over)).toBe(expected);
  });

  test('skip lets the first ones pass and count ends the rule', () => {
    const rules = new FaultRules(() => 0);
    rules.add({ skip: 2, count: 1, effect: { kind: 'hang' } });
    expect([1, 2, 3, 4].map(() => rules.forRequest(subject()) !== undefined)).toEqual([false, false, true, false]);
  });

  test('a probability strikes about that often, and the same way for the same seed', () => {
    const run = (seed: number): boolean[] => {
      const rules = new FaultRules(seededRandom(seed));
      rules.add({ probability: 0.25, effect: { kind: 'hang' } });
      return Array.from({ length: 2000 }, () => rules.forRequest(subject()) !== undefined);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    const share = run(7).filter(Boolean).length / 2000;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  });
});
