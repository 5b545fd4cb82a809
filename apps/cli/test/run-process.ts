import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CliRun } from './run-cli.js';

const program = fileURLToPath(new URL('../bin/kubectl-sidestep.mjs', import.meta.url));

/** Runs the built program as its users do. */
export function runProcess(argv: readonly string[], { stdin = '', env = {} } = {}): Promise<CliRun> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [program, ...argv], { env: { PATH, ...env } });
  const run: CliRun = { code: -1, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text;
  });
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...run, code: code ?? -1 }));
  });
}
