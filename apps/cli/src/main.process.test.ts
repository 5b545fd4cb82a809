import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { meshSet, shopPod } from '../test/manifests.js';
import { runCli } from '../test/run-cli.js';
import { runProcess } from '../test/run-process.js';

/** Starting a process may take long on a busy machine. */
jest.setTimeout(240_000);

let folder: string;
const file = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kubectl-sidestep-'));
  await writeFile(file('pod.yaml'), shopPod());
  await writeFile(file('set.yaml'), meshSet());
});

afterAll(() => rm(folder, { recursive: true }));

describe('the program as a process', () => {
  test('injects from files and the standard input', async () => {
    const run = await runProcess(['inject', '-f', '-', '-s', file('set.yaml')], { stdin: shopPod('piped') });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('name: piped');
    expect(run.stdout).toContain('name: mesh-2');
  });

  test('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await runProcess(['version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('calls itself a plugin of kubectl in the help of every command', async () => {
    const { stdout } = await runProcess(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name ?? '');
    expect(commands).toEqual(expect.arrayContaining(['inject', 'diff', 'get', 'why', 'rollback', 'version']));
    for (const name of commands) {
      const help = await runCli([name, '--help']);
      expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining(`Usage: kubectl sidestep ${name}`) });
    }
  });

  test('names a variable that it cannot use', async () => {
    const run = await runProcess(['version'], { env: { SIDESTEP_NAMESPACE: 'Not_A_Name' } });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('SIDESTEP_NAMESPACE: got "Not_A_Name"');
  });

  test('ends with 2 where no API server is known', async () => {
    const run = await runProcess(['diff', '-f', file('set.yaml')]);
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('hint: Set KUBECONFIG') });
  });
});
