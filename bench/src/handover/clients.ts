import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** What clients saw since they began; gap and latencies since the last `beginFigures`. */
export interface Seen {
  ok: number;
  refused: number;
  reset: number;
  timeouts: number;
  other: number;
  connections: number;
  versions: number;
  longestGapMs: number;
  p50Ms: number;
  p99Ms: number;
}

export interface ClientOptions {
  port: number;
  slots: number;
  mode: 'short' | 'keep';
  pauseUs?: number;
}

/** Where programs that benchmarks compile are kept; this user's alone. */
export function benchFolder(): string {
  const folder = path.join(tmpdir(), `sidestep-bench-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Compiles the load program once per version of its source. @throws Error when there is no C compiler. */
export function buildClients(root: string): string {
  const source = path.join(root, 'bench/native/connections.c');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const program = path.join(benchFolder(), `connections-${hash}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  const done = spawnSync('cc', ['-O2', '-o', unfinished, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (done.status !== 0) throw new Error('the load program needs a C compiler: apt-get install gcc libc6-dev');
  renameSync(unfinished, program);
  return program;
}

/** Clients in a process of their own, which go on until stopped. */
export class Clients {
  readonly #child: ChildProcess;
  readonly #reports: ((seen: Seen) => void)[] = [];

  constructor(program: string, { port, slots, mode, pauseUs = 0 }: ClientOptions) {
    const args = ['127.0.0.1', String(port), String(slots), mode, String(pauseUs)];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#reports.shift()?.(JSON.parse(line)));
  }

  report(): Promise<Seen> {
    return this.#ask('\n');
  }

  /** Like `report`; latencies and the longest gap start anew. */
  beginFigures(): Promise<Seen> {
    return this.#ask('begin\n');
  }

  #ask(line: string): Promise<Seen> {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) reject(new Error('the clients have ended'));
      this.#reports.push(resolve);
      this.#child.stdin?.write(line);
    });
  }

  /** Resolves when this many more requests were answered. */
  async answered(more: number): Promise<Seen> {
    const goal = (await this.report()).ok + more;
    for (;;) {
      const seen = await this.report();
      if (seen.ok >= goal) return seen;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  stop(): void {
    this.#child.stdin?.end();
  }
}

export const lostOf = (seen: Seen): number => seen.refused + seen.reset + seen.timeouts + seen.other;
