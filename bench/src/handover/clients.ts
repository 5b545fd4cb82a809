import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compiled } from './compiled.js';

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
  /** After so long without an answer a client counts the request as lost. Default 3 s. */
  patienceMs?: number;
  /** One cannot open more than some 13,000 connections a second on a core. The slots are shared out. */
  processes?: number;
}

/** For clients whose requests nobody who is stopped will answer: a machine that stands still is no loss. */
export const LONG_PATIENCE_MS = 30_000;

/** The load program. @throws Error when there is no C compiler. */
export const buildClients = (root: string): string => compiled(root, 'connections');

/** Clients in processes of their own, which go on until stopped. */
export class Clients {
  readonly #processes: ClientProcess[];

  constructor(program: string, { port, slots, mode, pauseUs = 0, patienceMs = 3_000, processes = 1 }: ClientOptions) {
    const share = Math.ceil(slots / processes);
    const args = ['127.0.0.1', String(port), String(share), mode, String(pauseUs), String(patienceMs)];
    this.#processes = Array.from({ length: processes }, () => new ClientProcess(program, args));
  }

  report(): Promise<Seen> {
    return this.#ask('\n');
  }

  /** Like `report`; latencies and the longest gap start anew. */
  beginFigures(): Promise<Seen> {
    return this.#ask('begin\n');
  }

  /** From now on, in the mean, between an answer and the next request of the same client. */
  async pause(meanUs: number): Promise<void> {
    await this.#ask(`pause ${Math.round(meanUs)}\n`);
  }

  async #ask(line: string): Promise<Seen> {
    const all = await Promise.all(this.#processes.map((one) => one.ask(line)));
    return all.reduce(together);
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
    for (const one of this.#processes) one.stop();
  }
}

const ENDED = 'the clients have ended';

class ClientProcess {
  readonly #child: ChildProcess;
  readonly #asked: { resolve: (seen: Seen) => void; reject: (error: Error) => void }[] = [];
  #ended = false;

  constructor(program: string, args: string[]) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) =>
      this.#asked.shift()?.resolve(JSON.parse(line)),
    );
    this.#child.once('close', () => {
      this.#ended = true;
      for (const { reject } of this.#asked.splice(0)) reject(new Error(ENDED));
    });
  }

  ask(line: string): Promise<Seen> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(new Error(ENDED));
        return;
      }
      this.#asked.push({ resolve, reject });
      this.#child.stdin?.write(line);
    });
  }

  stop(): void {
    this.#child.stdin?.end();
  }
}

/** Of several processes: counts are added, times are the worst of any. */
function together(one: Seen, other: Seen): Seen {
  return {
    ok: one.ok + other.ok,
    refused: one.refused + other.refused,
    reset: one.reset + other.reset,
    timeouts: one.timeouts + other.timeouts,
    other: one.other + other.other,
    connections: one.connections + other.connections,
    versions: Math.max(one.versions, other.versions),
    longestGapMs: Math.max(one.longestGapMs, other.longestGapMs),
    p50Ms: Math.max(one.p50Ms, other.p50Ms),
    p99Ms: Math.max(one.p99Ms, other.p99Ms),
  };
}

export const lostOf = (seen: Seen): number => seen.refused + seen.reset + seen.timeouts + seen.other;
