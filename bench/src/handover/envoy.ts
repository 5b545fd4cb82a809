import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Envoys, findEnvoys, freePort, leaveOut } from '@sidestep/testkit';
import type { BenchContext, Row } from '../bench.js';
import { Clients, lostOf } from './clients.js';

const SLOTS = 24;
const HTTP = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

interface EnvoyPlan {
  name: string;
  /** `adapter`: under the agent · `cold`: ended, then the next one started, as without an agent. */
  how: 'adapter' | 'cold';
  mode: 'short' | 'keep';
  upgrades: number;
}

/** Real Envoy, 1.36 and 1.40 in turn, with its adapter and without; nothing when this machine has no Envoy. */
export async function runEnvoys(context: BenchContext, program: string, upgrades: number): Promise<Row[]> {
  const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);
  if (envoys instanceof Error) {
    leaveOut('hand-overs of real Envoy', envoys.message);
    context.say(`Envoy is left out: ${envoys.message}`);
    return [];
  }
  const baseline = Math.min(upgrades, 5);
  const plans: EnvoyPlan[] = [
    { name: 'Envoy 1.36 <-> 1.40, short', how: 'adapter', mode: 'short', upgrades },
    { name: 'Envoy 1.36 <-> 1.40, kept POST', how: 'adapter', mode: 'keep', upgrades },
    { name: 'Envoy without agent, short', how: 'cold', mode: 'short', upgrades: baseline },
    { name: 'Envoy without agent, kept POST', how: 'cold', mode: 'keep', upgrades: baseline },
  ];
  const rows: Row[] = [];
  for (const plan of plans) rows.push(await runPlan(context, program, envoys, plan));
  return rows;
}

async function runPlan(context: BenchContext, program: string, envoys: Envoys, plan: EnvoyPlan): Promise<Row> {
  context.say(`${plan.name}: ${plan.upgrades} upgrades`);
  const pod = await EnvoyPod.create(context.root, envoys, plan.how);
  let clients: Clients | undefined;
  try {
    await pod.upgrade();
    clients = new Clients(program, { port: pod.port, slots: SLOTS, mode: plan.mode, pauseUs: 2_000 });
    await clients.answered(SLOTS * 20);
    const steady = await clients.beginFigures();
    const oneMB = pod.memoryMB();
    let overlapMB = 0;
    const times: number[] = [];
    for (let i = 0; i < plan.upgrades; i++) {
      const startedAt = performance.now();
      await pod.upgrade();
      times.push(performance.now() - startedAt);
      overlapMB = Math.max(overlapMB, pod.memoryMB());
      await clients.answered(SLOTS * 5);
      await pod.oldOnesEnded();
    }
    const seen = await clients.report();
    const lost = lostOf(seen);
    return {
      name: plan.name,
      // Without an agent it loses by design, which is only shown.
      ok: plan.how === 'cold' || (lost === 0 && seen.versions > plan.upgrades),
      handovers: plan.upgrades,
      answered: seen.ok,
      lost,
      refused: seen.refused,
      reset: seen.reset,
      timeouts: seen.timeouts,
      startToServingP50Ms: Math.round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0),
      longestGapMs: seen.longestGapMs,
      p99Ms: seen.p99Ms,
      steadyP99Ms: steady.p99Ms,
      oneMB,
      overlapMB,
    };
  } finally {
    clients?.stop();
    await pod.close();
  }
}

/** The sidecar of one pod, version after version. */
class EnvoyPod {
  readonly port: number;
  readonly #root: string;
  readonly #envoys: Envoys;
  readonly #how: EnvoyPlan['how'];
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  readonly #running = new Map<ChildProcess, Promise<void>>();
  #current: ChildProcess | undefined;
  #version = 0;

  private constructor(root: string, envoys: Envoys, how: EnvoyPlan['how'], port: number) {
    this.#root = root;
    this.#envoys = envoys;
    this.#how = how;
    this.port = port;
  }

  static async create(root: string, envoys: Envoys, how: EnvoyPlan['how']): Promise<EnvoyPod> {
    return new EnvoyPod(root, envoys, how, await freePort());
  }

  /** Resolves when the next version serves. */
  async upgrade(): Promise<void> {
    const version = this.#version++;
    const envoy = version % 2 === 0 ? this.#envoys.older : this.#envoys.newer;
    const command = [envoy, '-c', this.#configuration(version), '-l', 'off', '--concurrency', '2'];
    if (this.#how === 'adapter') {
      const agent = path.join(this.#root, 'packages/migration-agent/bin/sidestep-agent.mjs');
      this.#current = this.#start([process.execPath, agent, 'run', '--adapter', 'envoy', '--', ...command]);
      await owns(this.#current);
      return;
    }
    this.#current?.kill('SIGTERM');
    await this.oldOnesEnded(true);
    this.#current = this.#start([...command, '--disable-hot-restart']);
    while (!(await answers(this.port))) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** All but the current one, or all. */
  async oldOnesEnded(all = false): Promise<void> {
    await Promise.all([...this.#running].filter(([child]) => all || child !== this.#current).map(([, ended]) => ended));
  }

  /** Proportional memory of everything that runs here: pages that processes share count once. */
  memoryMB(): number {
    const pids = [...this.#running.keys()].flatMap(({ pid }) => (pid ? [pid, ...childrenOf(pid)] : []));
    return Math.round(pids.reduce((sum, pid) => sum + pssKB(pid), 0) / 1024);
  }

  async close(): Promise<void> {
    for (const child of this.#running.keys()) child.kill('SIGKILL');
    await this.oldOnesEnded(true);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #start([program = '', ...args]: string[]): ChildProcess {
    const env = { ...process.env, SIDESTEP_DIR: this.#directory, SIDESTEP_GUARD_SECONDS: '0.2' };
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#running.set(child, ended);
    void ended.then(() => this.#running.delete(child));
    return child;
  }

  #configuration(version: number): string {
    const file = path.join(this.#directory, `envoy-${version}.json`);
    const answer = { status: 200, body: { inline_string: String(version) } };
    const manager = {
      '@type': HTTP,
      stat_prefix: 'web',
      route_config: {
        virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: answer }] }],
      },
      http_filters: [{ name: 'router', typed_config: { '@type': ROUTER } }],
    };
    const listener = {
      name: 'web',
      address: { socket_address: { address: '127.0.0.1', port_value: this.port } },
      filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
    };
    writeFileSync(file, JSON.stringify({ static_resources: { listeners: [listener] } }));
    return file;
  }
}

/** @throws Error when it ends before. */
function owns(agent: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    createInterface({ input: agent.stderr! }).on('line', (line) => {
      if (line.includes('"role":"owner"')) resolve();
    });
    agent.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function pssKB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
