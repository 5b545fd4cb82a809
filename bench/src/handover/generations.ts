import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export type Strategy = 'takeover' | 'cold' | 'reuseport' | 'openkruise';

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
}

/** One server process of a chain. */
export class Generation {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  readonly #told: Told[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(root: string, options: Record<string, unknown>) {
    const program = path.join(root, 'packages/migration-agent/fixtures/bench-server.mjs');
    this.child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()));
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#told.push(JSON.parse(line));
      this.#wake();
    });
    void this.exited.then(() => this.#wake());
  }

  /** @throws Error when the process ended without saying it. */
  async hears(event: string): Promise<Told> {
    for (;;) {
      const found = this.#told.find((told) => told.event === event);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`ended without "${event}"`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A private directory, a port and the generations that were started with them. */
export class Chain {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  readonly #root: string;
  readonly #strategy: Strategy;
  readonly #started = new Set<Generation>();
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

  start(version: number, options: { limits?: object; interrupt?: { point: string; signal: string } } = {}): Generation {
    const { directory, port } = this;
    const limits = { guardMs: 200, ...options.limits };
    const generation = new Generation(this.#root, {
      strategy: this.#strategy,
      version,
      directory,
      port,
      ...options,
      limits,
    });
    this.#started.add(generation);
    void generation.exited.then(() => this.#started.delete(generation));
    return generation;
  }

  async close(): Promise<void> {
    for (const { child } of this.#started) child.kill('SIGKILL');
    await Promise.all([...this.#started].map(({ exited }) => exited));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
