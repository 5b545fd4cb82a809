import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { transform } from '@swc/core';
import { removeScratch } from '../scratch/remove-scratch.js';
import { startBoundProcess } from './bound-process.js';
import { until } from './until.js';

const SOURCE = fileURLToPath(new URL('./bound-process.ts', import.meta.url));

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a bound process', () => {
  test('tells its pid, its output and its exit code', async () => {
    const one = await startBoundProcess(process.execPath, ['-e', 'console.log("pid", process.pid); process.exit(7)']);
    expect(await one.exited).toBe(7);
    await until(() => one.output().includes(`pid ${one.pid}`), 'the output');
  });

  test('gets the signals it is sent, and is killed when it does not listen to the asking one', async () => {
    const deaf = await startBoundProcess(process.execPath, [
      '-e',
      'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)',
    ]);
    await until(() => deaf.output().includes('up'), 'the program');
    await deaf.stop(50);
    expect(isAlive(deaf.pid)).toBe(false);
  });

  test('ends when the process that started it is killed without warning', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sidestep-bound-'));
    const { code } = await transform(await readFile(SOURCE, 'utf8'), {
      filename: SOURCE,
      module: { type: 'es6' },
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    });
    await writeFile(path.join(folder, 'bound.mjs'), code);
    const program = `import { startBoundProcess } from './bound.mjs';
      const one = await startBoundProcess('sleep', ['1000']);
      console.log(one.pid); setInterval(() => {}, 1000);`;
    await writeFile(path.join(folder, 'parent.mjs'), program);
    const parent = spawn(process.execPath, [path.join(folder, 'parent.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid), 'the end of the program');
    await removeScratch(folder);
  });

  test('a program that is not there ends at once with 127', async () => {
    const nothing = await startBoundProcess('/no/such/program', []);
    expect(await nothing.exited).toBe(127);
  });
});
