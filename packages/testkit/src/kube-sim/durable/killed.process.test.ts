import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type BoundProcess, startBoundProcess } from '../../bound-process/bound-process.js';
import { until } from '../../bound-process/until.js';
import { removeScratch } from '../../scratch/remove-scratch.js';
import { ask } from './ask.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/kube-sim/main.js', import.meta.url));
const MAPS = '/api/v1/namespaces/default/configmaps';
/** Against hanging: the machine may stand still for minutes. */
const DEADLINE_MS = 600_000;

interface ConfigMap {
  metadata: { name: string; resourceVersion: string };
  data: { step: string };
}

interface Written {
  metadata: { resourceVersion: string };
  items: ConfigMap[];
}

jest.setTimeout(DEADLINE_MS);

describe('the process of a kube-sim with a data directory', () => {
  let folder: string;
  let running: BoundProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sidestep-killed-'));
  });

  afterEach(async () => {
    await running?.stop();
    await removeScratch(folder);
  });

  const start = async (...wrapper: string[]): Promise<string> => {
    const [file = '', ...args] = [...wrapper, process.execPath, PROGRAM, '--data-dir', path.join(folder, 'data')];
    const started = await startBoundProcess(file, args);
    running = started;
    const line = await until(
      () =>
        started
          .output()
          .split('\n')
          .find((each) => each.startsWith('{"url"')),
      'kube-sim to answer',
      DEADLINE_MS,
    );
    return (JSON.parse(line) as { url: string }).url;
  };

  /** Writes until it is cut off; tells what was answered: the step, and the newest version of all. */
  const writer = async (
    url: string,
    name: string,
    answered: Map<string, number>,
    onAnswer: (version: number) => void,
  ) => {
    const first = answered.get(name) ?? 0;
    for (let step = first + 1; ; step += 1) {
      const data = { step: String(step), text: 'x'.repeat(2_000) };
      const write =
        step === 1
          ? ask<Written>(url, 'POST', MAPS, { metadata: { name }, data })
          : ask<Written>(url, 'PATCH', `${MAPS}/${name}`, { data });
      const answer = await write.catch(() => undefined);
      if (!answer) return;
      expect([200, 201]).toContain(answer.status);
      answered.set(name, step);
      onAnswer(Number(answer.body.metadata.resourceVersion));
    }
  };

  test('killed in the middle of writes, again and again, it loses nothing that was answered', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const answered = new Map<string, number>();
    let newest = 0;
    let url = await start();
    for (let round = 1; round <= 3; round += 1) {
      const enough = round * 30;
      let answers = 0;
      const writers = names.map((name) =>
        writer(url, name, answered, (version) => {
          newest = Math.max(newest, version);
          answers += 1;
          if (answers === enough) running?.kill('SIGKILL');
        }),
      );
      await Promise.all(writers);
      await running?.exited;
      const again = await start();
      expect(again).toBe(url);
      url = again;
      const { body } = await ask<Written>(url, 'GET', MAPS);
      expect(Number(body.metadata.resourceVersion)).toBeGreaterThanOrEqual(newest);
      for (const { metadata, data } of body.items) {
        const step = answered.get(metadata.name) ?? 0;
        // The one that was under way may have been made or not.
        expect([step, step + 1]).toContain(Number(data.step));
        answered.set(metadata.name, Number(data.step));
      }
      expect(body.items.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining([...answered.keys()]));
    }
    expect([...answered.values()].reduce((sum, steps) => sum + steps, 0)).toBeGreaterThanOrEqual(180);
  });

  test('where its journal can grow no more it ends, having answered nothing that is not kept', async () => {
    // No file may have more than 64 blocks of 512 bytes.
    const url = await start('/bin/sh', '-c', 'ulimit -f 64; exec "$@"', 'sh');
    const answered = new Map<string, number>();
    await writer(url, 'a', answered, () => undefined).catch((error: unknown) => error);
    expect(await running?.exited).toBe(1);
    expect(running?.output()).toMatch(/its journal could not be written: EFBIG/);
    const { body } = await ask<Written>(await start(), 'GET', MAPS);
    expect(Number(body.items[0]?.data.step)).toBe(answered.get('a'));
  });
});
