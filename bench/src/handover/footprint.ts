import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchContext, Row } from '../bench.js';

const MAX_ADDON_BYTES = 64 * 1024;

/**
 * What the custodian costs: memory that is its alone and not a page of a file (Private_Dirty: pages of the Node binary are shared
 * with every other Node process of the node), the time from its start to its first answer, and how often it woke up in two seconds.
 */
export async function runFootprint({ root, say }: BenchContext): Promise<Row> {
  say('footprint of the custodian');
  const directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  const agent = path.join(root, 'packages/migration-agent');
  const startedAt = performance.now();
  const child = spawn(process.execPath, [path.join(agent, 'bin/sidestep-agent.mjs'), 'custodian'], {
    env: { ...process.env, SIDESTEP_DIR: directory },
    stdio: 'ignore',
  });
  try {
    const socket = path.join(directory, 'status.main.sock');
    while (!(await answers(socket))) await pause(2);
    const startMs = performance.now() - startedAt;
    await pause(1_000);
    const before = switches(child.pid!);
    await pause(2_000);
    const wakeUps = switches(child.pid!) - before;
    const addonBytes = statSync(path.join(agent, `prebuilds/linux-${process.arch}-${libc()}/sidestep.node`)).size;
    return {
      name: 'idle custodian',
      ok: addonBytes <= MAX_ADDON_BYTES,
      privateMB: privateMB(child.pid!),
      startMs,
      wakeUps,
      addonBytes,
    };
  } finally {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

function libc(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ? 'gnu' : 'musl';
}

function privateMB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/Private_Dirty:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

function switches(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    client.once('data', () => finish(true)).once('error', () => finish(false));
    const finish = (answer: boolean): void => {
      client.destroy();
      resolve(answer);
    };
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
