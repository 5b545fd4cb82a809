import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort, killMarked, removeScratch } from '@sidestep/testkit';
import { EnvoyBase } from '../src/adapters/envoy/base.js';
import { Deadline } from './deadline.js';

const room = fileURLToPath(new URL('..', import.meta.url));
const LOOK_EVERY_MS = 250;
export const AGENT_BIN = join(room, 'bin', 'sidestep-agent.cjs');

export interface Told {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a fixture tells is checked by the expectations on it
  [field: string]: any;
}

/** A child process that tells what happens to it in JSON lines. */
export class Fixture {
  readonly child: ChildProcess;
  readonly told: Told[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  stderr = '';
  /** It has ended and said its last. */
  #silent = false;
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.exited = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve({ code, signal })));
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.#hear(line));
    createInterface({ input: this.child.stderr! }).on('line', (line) => {
      this.stderr += `${line}\n`;
      this.#hear(line);
    });
    this.child.once('close', () => {
      this.#silent = true;
      this.#wake();
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with the first thing told that fits. @throws after the deadline or its end, with everything heard so far. */
  async heard(fits: string | ((told: Told) => boolean), withinMs = 60_000): Promise<Told> {
    const test = typeof fits === 'string' ? (told: Told) => told.event === fits : fits;
    const deadline = new Deadline(withinMs);
    for (;;) {
      const found = this.told.find(test);
      if (found) return found;
      if (this.#silent || deadline.over)
        throw new Error(`not heard in time: ${fits}\n${JSON.stringify(this.told)}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_EVERY_MS);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #hear(line: string): void {
    try {
      this.told.push(JSON.parse(line));
    } catch {
      this.told.push({ event: 'text', line });
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A pod's private directory, a free port, and the processes in it; everything ends with `close`. */
export class Pod {
  readonly directory = mkdtempSync(join(tmpdir(), 'sidestep-pod-'));
  readonly #fixtures: Fixture[] = [];
  port = 0;
  #containers = 0;

  static async create(): Promise<Pod> {
    const pod = new Pod();
    pod.port = await freePort();
    return pod;
  }

  /**
   * Starts one generation of the fixture server. Guards and limits are short unless given.
   *
   * @param options `descriptors`: how many it may have open
   */
  server(
    version: string,
    { descriptors, ...options }: Record<string, unknown> = {},
    env: Record<string, string> = {},
  ): Fixture {
    const given = {
      directory: this.directory,
      version,
      listeners: { web: `127.0.0.1:${this.port}` },
      ...options,
      limits: { guardMs: 1_000, ...(options.limits as object | undefined) },
    };
    const program = [process.execPath, join(room, 'fixtures', 'server.mjs'), JSON.stringify(given)];
    const limited = descriptors ? ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', ...program] : program;
    return this.program(limited[0]!, limited.slice(1), env);
  }

  agent(args: string[], env: Record<string, string> = {}): Fixture {
    return this.program(process.execPath, [AGENT_BIN, ...args], { SIDESTEP_DIR: this.directory, ...env });
  }

  /** The agent as pid 1 of a pid namespace of its own, as in a container: what it started ends with it. Needs root. */
  container(args: string[], env: Record<string, string> = {}): Fixture {
    this.#containers += 1;
    const slot = { SIDESTEP_SLOT: `c${this.#containers}` };
    const own = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, AGENT_BIN, ...args];
    const fixture = this.program('unshare', own, { SIDESTEP_DIR: this.directory, ...slot, ...env });
    const { child } = fixture;
    // Signals are for pid 1 in there; unshare itself ignores them.
    child.kill = (signal) => process.kill(onlyChildOf(child.pid!) ?? child.pid!, signal);
    return fixture;
  }

  program(command: string, args: string[], env: Record<string, string> = {}): Fixture {
    const fixture = new Fixture(command, args, env);
    this.#fixtures.push(fixture);
    return fixture;
  }

  async close(): Promise<void> {
    for (const { child, running } of this.#fixtures) if (running) child.kill('SIGKILL');
    await Promise.all(this.#fixtures.map(({ exited }) => exited));
    // What an agent started is ended a moment after it.
    await killMarked('SIDESTEP_DIR', this.directory);
    // What was killed could not tidy up, and memory of Envoy is outside of the directory.
    EnvoyBase.sweep(this.directory);
    await removeScratch(this.directory);
  }
}

function onlyChildOf(pid: number): number | undefined {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return child === undefined ? undefined : Number(child);
}

/** Descriptors of a process, by what they are. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resolves when the condition holds. @throws after the deadline. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 60_000,
): Promise<void> {
  const deadline = new Deadline(withinMs);
  while (!(await condition())) {
    if (deadline.over) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
