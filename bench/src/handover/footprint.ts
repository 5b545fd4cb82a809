import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeScratch } from '@sidestep/testkit';
import type { BenchContext, Row } from '../bench.js';
import { privateMB } from './memory.js';
import { plainEnvironment } from './plain-environment.js';

const MAX_ADDON_BYTES = 64 * 1024;
const MOST_PRIVATE_MB = 10;

const WINDOW_MS = 2_000;
const MOST_WINDOWS = 30;

const NOTHING = ['-e', 'setInterval(() => {}, 1e8)'];
const SUBJECTS: Record<string, string[]> = {
  'idle custodian': ['custodian'],
  'idle agent beside a program': [
    ...['run', '--listen', 'web=127.0.0.1:0', '--ready', 'log:^up$', '--'],
    ...['sh', '-c', 'echo up; exec sleep 1000'],
  ],
};

/**
 * What an agent costs while nothing happens, as the custodian and beside a program.
 *
 * Start is from spawn to the first answer of its status socket that it serves, the median of several, beside the whole life of `node -e 0`
 * in turn with them. Wake-ups are voluntary context switches of all its threads in the first two seconds without any; Node itself, with
 * nothing to do, needs some seconds of tidying up before that. Memory (Private_Dirty of smaps_rollup: pages of the Node binary are shared
 * with every other Node process of the node) is looked at then.
 */
export async function runFootprint({ root, say, quick }: BenchContext): Promise<Row[]> {
  const agent = path.join(root, 'packages/migration-agent');
  const program = path.join(agent, 'bin/sidestep-agent.cjs');
  const addonBytes = statSync(path.join(agent, `prebuilds/linux-${process.arch}-${libc()}/sidestep.node`)).size;
  say('footprint: starts');
  const { bareMs, startMs } = await starts(program, quick ? 3 : 15);
  say('footprint: at rest');
  const [empty, ...idle] = await Promise.all([
    atRest(new Started(NOTHING)),
    ...Object.values(SUBJECTS).map((args) => atRest(new Started([program, ...args]))),
  ]);
  return Object.keys(SUBJECTS).map((name, index): Row => {
    const { privateMB, wakeUps } = idle[index]!;
    const ok = addonBytes <= MAX_ADDON_BYTES && privateMB <= MOST_PRIVATE_MB && wakeUps === 0;
    const start = { startMs: startMs[name]!, bareNodeMs: bareMs };
    return { name, ok, privateMB, bareNodeMB: empty.privateMB, wakeUps, ...start, addonBytes };
  });
}

async function starts(program: string, rounds: number): Promise<{ bareMs: number; startMs: Record<string, number> }> {
  const bare: number[] = [];
  const seen = Object.fromEntries(Object.keys(SUBJECTS).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    bare.push(await lifeOf(['-e', '0']));
    for (const [name, args] of Object.entries(SUBJECTS)) {
      const started = new Started([program, ...args]);
      await started.serving();
      seen[name]!.push(performance.now() - started.at);
      await started.end();
    }
  }
  const startMs = Object.fromEntries(Object.entries(seen).map(([name, times]) => [name, median(times)]));
  return { bareMs: median(bare), startMs };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function lifeOf(args: string[]): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { env: plainEnvironment(), stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return performance.now() - startedAt;
}

async function atRest(started: Started): Promise<{ privateMB: number; wakeUps: number }> {
  const pid = started.child.pid!;
  try {
    let wakeUps = 0;
    for (let window = 0; window < MOST_WINDOWS; window++) {
      const before = switches(pid);
      await pause(WINDOW_MS);
      wakeUps = switches(pid) - before;
      if (wakeUps === 0 && window > 0) break;
    }
    return { privateMB: privateMB(pid), wakeUps };
  } finally {
    await started.end();
  }
}

/** A Node program with a private directory of its own. */
class Started {
  readonly at = performance.now();
  readonly child: ChildProcess;
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  readonly #ended: Promise<unknown>;

  constructor(args: string[]) {
    const env = plainEnvironment({ SIDESTEP_DIR: this.#directory });
    this.child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    this.#ended = new Promise((resolve) => this.child.once('exit', resolve));
  }

  async serving(): Promise<void> {
    const socket = path.join(this.#directory, 'status.main.sock');
    while (!(await settled(socket))) await pause(2);
  }

  async end(): Promise<void> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(timer);
    await removeScratch(this.#directory);
  }
}

function libc(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ? 'gnu' : 'musl';
}

/** Of all threads: V8's work for a process is seen as well. */
function switches(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))
    .reduce((sum, text) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1] ?? 0), 0);
}

/** Whether it has said that its start is over. */
function settled(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    client
      .once('data', (status: Buffer) => finish(!status.toString().includes('"role":"starting"')))
      .once('error', () => finish(false));
    const finish = (answer: boolean): void => {
      client.destroy();
      resolve(answer);
    };
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
