import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type KubeSim, startKubeSim } from '@sidestep/testkit';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let sim: KubeSim;
let folder: string;
let child: ChildProcess;
let gone: Promise<unknown>;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sidestep-main-'));
  sim = await startKubeSim();
  await writeFile(path.join(folder, 'kubeconfig'), sim.kubeconfig);
  child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      KUBECONFIG: path.join(folder, 'kubeconfig'),
      SIDESTEP_QUEUE: 'memory',
      SIDESTEP_HEALTH_HOST: '127.0.0.1',
      SIDESTEP_HEALTH_PORT: '0',
      SIDESTEP_LOG_LEVEL: 'trace',
    },
  });
}, 240_000);

afterEach(async () => {
  child.kill('SIGKILL');
  await gone;
  await sim.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The address that the program says it listens on. */
const started = async (): Promise<string> => {
  let text = '';
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    const url = /"url":"(http[^"]+)"/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('it ended before it listened');
};

test('a program whose standard output is closed goes on with its work, and ends in order at SIGTERM', async () => {
  const exit = once(child, 'exit');
  // Leaving the loop over its output closes the pipe.
  const url = await started();
  expect(child.stdout?.destroyed).toBe(true);
  for (let look = 0; look < 3; look += 1) expect((await fetch(`${url}/livez`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}, 240_000);
