import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, removeScratch } from '@sidestep/testkit';
import { type ClientOptions, Clients } from './clients.js';
import { compiled } from './compiled.js';
import { Custodian } from './custodian.js';
import { privateMB, proportionalMB } from './memory.js';
import { plainEnvironment } from './plain-environment.js';

/** `takeover`: a Node server with the library · `program`: `sidestep-agent run` beside a program · the others lose by design. */
export type Strategy = 'takeover' | 'program' | 'cold' | 'reuseport' | 'openkruise';

const MOST_ATTEMPTS = 5;

/** A busy machine takes its time to close thousands of connections. */
const MOST_LOOKS = 600;
const LOOK_EVERY_MS = 50;

/** It owns the listener, or has come to where it dies. */
export type Milestone = 'owner' | 'interrupted';

export interface StartOptions {
  limits?: object;
  interrupt?: { point: string; signal: string };
}

export interface Handover {
  how: string;
  handoverMs: number;
}

interface Told {
  event: string;
  handover?: Handover;
  migrated?: number;
  drained?: number;
  killed?: number;
  usedMB?: number;
}

/** How a process of a chain is started, and where it tells what happens. */
interface Start {
  args: string[];
  env: NodeJS.ProcessEnv;
  tells: 'stdout' | 'stderr';
}

/** What an agent logs, in the words of bench-server. */
const AGENT_WORDS: Record<string, string> = {
  cold: 'owner',
  takeover: 'owner',
  promoted: 'owner',
  finished: 'done',
  aborted: 'gave-up',
};

const asTold = (line: Told): Told => ({ ...line, event: AGENT_WORDS[line.event] ?? line.event });

function nodeServer(root: string, options: object): Start {
  const program = path.join(root, 'packages/migration-agent/fixtures/bench-server.mjs');
  return { args: ['--expose-gc', program, JSON.stringify(options)], env: plainEnvironment(), tells: 'stdout' };
}

interface Room {
  version: number;
  directory: string;
  port: number;
  limits: { guardMs: number };
}

function agentBesideProgram(root: string, { version, directory, port, limits }: Room): Start {
  const agent = path.join(root, 'packages/migration-agent/bin/sidestep-agent.cjs');
  const run = ['run', '--adapter', 'activation', '--listen', `web=127.0.0.1:${port}`];
  const env = { SIDESTEP_DIR: directory, SIDESTEP_GUARD_SECONDS: String(limits.guardMs / 1000) };
  const args = [agent, ...run, '--', compiled(root, 'answers'), String(version)];
  return { args, env: plainEnvironment(env), tells: 'stderr' };
}

/** One server process of a chain. */
export class Generation {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  /** It has ended and said its last. */
  #silent = false;
  readonly #told: Told[] = [];
  readonly #waiting = new Set<() => void>();

  constructor({ args, env, tells }: Start) {
    const stdio =
      tells === 'stdout' ? (['ignore', 'pipe', 'inherit'] as const) : (['ignore', 'ignore', 'pipe'] as const);
    this.child = spawn(process.execPath, args, { env, stdio: [...stdio] });
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
    createInterface({ input: (this.child.stdout ?? this.child.stderr)! }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      this.#told.push(asTold(JSON.parse(line)));
      this.#wake();
    });
    this.child.once('close', () => {
      this.#silent = true;
      this.#wake();
    });
  }

  /** @throws Error when the process ended without saying it. */
  hears(event: string): Promise<Told> {
    return this.#heardAfter(0, event);
  }

  async #heardAfter(first: number, event: string): Promise<Told> {
    for (;;) {
      const found = this.#told.slice(first).find((told) => told.event === event);
      if (found) return found;
      if (this.#silent) throw new Error(`ended without "${event}"`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves with true when it says so, with false when its attempt has failed before. */
  async comesTo(wanted: Milestone): Promise<boolean> {
    for (;;) {
      if (this.#told.some(({ event }) => event === wanted)) return true;
      if (this.#silent || this.#told.some(({ event }) => event === 'gave-up')) return false;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  get openDescriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  get privateMB(): number {
    return privateMB(this.child.pid!);
  }

  /**
   * What is left of the heap, and of memory outside that it holds, after garbage was collected. What a process has from the kernel says
   * little about leaks: V8 keeps the room for young objects that a busy minute has made it take.
   */
  async usedMB(): Promise<number> {
    const before = this.#told.length;
    this.child.kill('SIGUSR2');
    return (await this.#heardAfter(before, 'memory')).usedMB ?? 0;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Resolves with how many descriptors too many a process has, as soon as it has none, else after a while. */
export async function leakedBeyond(before: number, process: Generation): Promise<number> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    if (process.openDescriptors <= before) return 0;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return process.openDescriptors - before;
}

/** A private directory, a port and the processes that were started with them. */
export class Chain {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  readonly #root: string;
  readonly #strategy: Strategy;
  readonly #started = new Set<Generation>();
  readonly #custodians: Custodian[] = [];
  readonly #clients: Clients[] = [];
  port = 0;

  private constructor(root: string, strategy: Strategy) {
    this.#root = root;
    this.#strategy = strategy;
  }

  static async create(root: string, strategy: Strategy): Promise<Chain> {
    const chain = new Chain(root, strategy);
    chain.port = await freePort();
    return chain;
  }

  start(version: number, options: StartOptions = {}): Generation {
    const { directory, port } = this;
    const limits = { guardMs: 200, ...options.limits };
    const strategy = this.#strategy;
    const generation = new Generation(
      strategy === 'program'
        ? agentBesideProgram(this.#root, { version, directory, port, limits })
        : nodeServer(this.#root, { strategy, version, directory, port, ...options, limits }),
    );
    this.#started.add(generation);
    void generation.exited.then(() => this.#started.delete(generation));
    return generation;
  }

  /** Who asks at the port from now on; somebody has to listen there already. */
  startClients(program: string, options: Omit<ClientOptions, 'port'>): Clients {
    const clients = new Clients(program, { ...options, port: this.port });
    this.#clients.push(clients);
    return clients;
  }

  startCustodian(): Custodian {
    const custodian = new Custodian(this.#root, this.directory);
    this.#custodians.push(custodian);
    return custodian;
  }

  /**
   * Resolves with the next generation, once it is the owner or has come to where it dies. A machine that stands still for seconds lets
   * deadlines pass; whoever starts containers tries again then, and so does this: `failed` says how often.
   */
  async takeOver(
    version: number,
    options: StartOptions = {},
    until: Milestone = 'owner',
  ): Promise<{ next: Generation; failed: number }> {
    for (let failed = 0; failed < MOST_ATTEMPTS; failed++) {
      const next = this.start(version, options);
      if (await next.comesTo(until)) return { next, failed };
    }
    throw new Error(`${MOST_ATTEMPTS} attempts in a row have failed`);
  }

  /** Proportional memory of all generations that run now. */
  get memoryMB(): number {
    return proportionalMB([...this.#started].flatMap(({ child }) => child.pid ?? []));
  }

  /** Files that the generations have in their private directory now. */
  get files(): number {
    return readdirSync(this.directory).length;
  }

  async close(): Promise<void> {
    for (const clients of this.#clients) clients.stop();
    for (const { child } of this.#started) child.kill('SIGKILL');
    await Promise.all([
      ...[...this.#started].map(({ exited }) => exited),
      ...this.#custodians.map((custodian) => custodian.end()),
    ]);
    await removeScratch(this.directory);
  }
}
