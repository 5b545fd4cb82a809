import { mkdtemp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { removeScratch } from '../../scratch/remove-scratch.js';
import { startKubeSim } from '../start.js';
import type { KubeSim, KubeSimOptions } from '../types.js';
import { type Answer, ask } from './ask.js';

interface Body {
  metadata: { resourceVersion?: string; continue?: string };
  items: { metadata: { name: string; resourceVersion: string }; data?: Record<string, string> }[];
  [field: string]: unknown;
}

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.test.dev' },
  spec: {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const MAPS = '/api/v1/namespaces/default/configmaps';
const GADGETS = '/apis/test.dev/v1/namespaces/default/gadgets';
const EVERYTHING = [
  '/api/v1/namespaces',
  '/api/v1/serviceaccounts',
  '/api/v1/configmaps',
  '/api/v1/pods',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/test.dev/v1/gadgets',
];

/** Against hanging: the machine may stand still for minutes. */
jest.setTimeout(600_000);

describe('a kube-sim with a data directory', () => {
  let folder: string;
  let sim: KubeSim | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sidestep-durable-'));
  });

  afterEach(async () => {
    await sim?.stop();
    sim = undefined;
    await removeScratch(folder);
  });

  const start = async (options: KubeSimOptions = {}): Promise<KubeSim> => {
    await sim?.stop();
    sim = undefined;
    sim = await startKubeSim({ dataDir: path.join(folder, 'data'), ...options });
    return sim;
  };

  const call = (method: string, where: string, body?: object): Promise<Answer<Body>> =>
    ask<Body>(String(sim?.url), method, where, body);

  const get = (where: string): Promise<Answer<Body>> => call('GET', where);

  const map = (name: string, data: Record<string, string> = {}): Promise<Answer<Body>> =>
    call('POST', MAPS, { metadata: { name }, data });

  const everything = (): Promise<Answer<Body>[]> => Promise.all(EVERYTHING.map(get));

  const journal = (): string => path.join(folder, 'data', 'journal');

  const fill = async (): Promise<void> => {
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD);
    await map('kept', { text: 'grün \u2028 "quoted"\n and a second line' });
    await map('gone');
    await map('changed', { step: '1' });
    await call('PATCH', `${MAPS}/changed`, { data: { step: '2' } });
    await call('POST', GADGETS, { apiVersion: 'test.dev/v1', kind: 'Gadget', metadata: { name: 'g' }, size: 7 });
    await call('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
    await call('POST', '/api/v1/namespaces/shop/pods', {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'app', image: 'app:1' }] },
    });
    await call('DELETE', `${MAPS}/gone`);
  };

  test('one that follows has every object as it was, and the same newest version', async () => {
    await start();
    await fill();
    const before = await everything();
    await start();
    expect(await everything()).toEqual(before);
    // Now from what was written anew, in which the deletion has left nothing.
    await start();
    expect(await everything()).toEqual(before);
    const again = await call('PATCH', `${MAPS}/kept`, { data: { one: 'more' } });
    expect(Number(again.body.metadata.resourceVersion)).toBe(Number(before[0]?.body.metadata.resourceVersion) + 1);
  });

  test('a definition that follows is served, and takes its objects with it when it goes', async () => {
    await start();
    await fill();
    await start();
    expect((await get(GADGETS)).body.items).toHaveLength(1);
    await call('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.test.dev');
    await start();
    expect((await get(GADGETS)).status).toBe(404);
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD);
    expect((await get(GADGETS)).body.items).toEqual([]);
  });

  test('manifests make what is missing, and leave what is there as it became', async () => {
    const manifest = path.join(folder, 'maps.yaml');
    const yaml = (name: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {step: '1'}\n`;
    await writeFile(manifest, `${yaml('first')}---\n${yaml('second')}`);
    await start({ manifests: [manifest] });
    await call('PATCH', `${MAPS}/first`, { data: { step: '2' } });
    await call('DELETE', `${MAPS}/second`);
    await start({ manifests: [manifest] });
    const { items } = (await get(MAPS)).body;
    expect(items.map(({ metadata, data }) => `${metadata.name} ${data?.step}`)).toEqual(['first 2', 'second 1']);
  });

  test('whoever saw everything goes on with its watch, any other is told that it is too late', async () => {
    await start();
    await fill();
    const newest = Number((await get(MAPS)).body.metadata.resourceVersion);
    await start();
    await map('later');
    const watch = async (from: number): Promise<string[]> => {
      const answer = await fetch(`${sim?.url}${MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${from}`);
      const lines = (await answer.text()).split('\n').filter(Boolean);
      return lines.map((line) => {
        const { type, object } = JSON.parse(line) as {
          type: string;
          object: { code?: number; metadata: { name?: string } };
        };
        return `${type} ${object.code ?? object.metadata.name}`;
      });
    };
    expect(await watch(newest)).toEqual(['ADDED later']);
    expect(await watch(newest - 1)).toEqual(['ERROR 410']);
  });

  test('a list that was begun before is not continued with pages of another', async () => {
    await start();
    await fill();
    const token = encodeURIComponent(String((await get(`${MAPS}?limit=1`)).body.metadata.continue));
    await start();
    await get('/api/v1/namespaces?limit=1');
    const { status, body } = await get(`${MAPS}?limit=1&continue=${token}`);
    expect([status, body.reason]).toEqual([410, 'Expired']);
  });

  test('it answers on the same port, so that kubeconfigs stay good, unless it is told another', async () => {
    const { url } = await start();
    expect((await start()).url).toBe(url);
    expect((await start({ port: Number(new URL(url).port) })).url).toBe(url);
  });

  test('a commit that was cut off anywhere was never made, and all before it were', async () => {
    await start();
    await fill();
    const before = await everything();
    const whole = (await stat(journal())).size;
    // With its pod and its service account.
    await call('DELETE', '/api/v1/namespaces/shop');
    const after = await everything();
    await sim?.stop();
    sim = undefined;
    const bytes = await readFile(journal());
    expect(bytes.subarray(whole).toString().split('\n')).toHaveLength(2);
    const cuts = [whole, whole + 1, Math.round((whole + bytes.length) / 2), bytes.length - 2, bytes.length - 1];
    for (const at of [...cuts, bytes.length]) {
      await writeFile(journal(), bytes);
      await truncate(journal(), at);
      await start();
      expect({ at, is: await everything() }).toEqual({ at, is: at === bytes.length ? after : before });
      await sim?.stop();
      sim = undefined;
    }
  });

  test('a journal that is broken elsewhere is refused, and left as it is', async () => {
    await start();
    await fill();
    await sim?.stop();
    sim = undefined;
    const broken = (await readFile(journal(), 'utf8')).replace('"kept"', '"kept');
    await writeFile(journal(), broken);
    await expect(start()).rejects.toMatchObject({
      code: 'JournalBroken',
      hint: expect.stringContaining('Put the file back'),
    });
    expect(await readFile(journal(), 'utf8')).toBe(broken);
  });

  test('the journal does not grow with what was written, only with what there is', async () => {
    await start({ journalBytes: 50_000 });
    await fill();
    const text = 'x'.repeat(1_000);
    let most = 0;
    for (let step = 1; step <= 300; step += 1) {
      await call('PATCH', `${MAPS}/changed`, { data: { step: String(step), text } });
      most = Math.max(most, (await stat(journal())).size);
    }
    expect(most).toBeLessThan(60_000);
    expect(most).toBeGreaterThan(40_000);
    const before = await everything();
    await start();
    expect(await everything()).toEqual(before);
    expect((await stat(journal())).size).toBeLessThan(20_000);
  });

  test('only one has the directory at a time; what a dead one left behind does not count', async () => {
    await start();
    const dataDir = path.join(folder, 'data');
    await expect(startKubeSim({ dataDir })).rejects.toMatchObject({ code: 'DataDirInUse' });
    await sim?.stop();
    sim = undefined;
    // This process's pid, but begun at another time.
    await writeFile(path.join(dataDir, 'lock'), `${process.pid} 1`);
    await start();
    await sim?.stop();
    sim = undefined;
    expect((await readdir(dataDir)).sort()).toEqual(['journal', 'port']);
  });

  test('its files are for nobody else, for secrets are in them', async () => {
    await start();
    const dataDir = path.join(folder, 'data');
    const modes = await Promise.all(
      [dataDir, ...(await readdir(dataDir)).map((name) => path.join(dataDir, name))].map(
        async (file) => (await stat(file)).mode & 0o077,
      ),
    );
    expect(modes).toHaveLength(4);
    expect(new Set(modes)).toEqual(new Set([0]));
  });

  test('a folder that cannot be used is told in one sentence', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const dataDir = path.join(folder, 'file', 'data');
    await expect(startKubeSim({ dataDir })).rejects.toMatchObject({
      code: 'ENOTDIR',
      message: `cannot use the data directory ${dataDir}: ENOTDIR`,
    });
  });
});
