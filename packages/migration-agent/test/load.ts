import { Agent, request } from 'node:http';
import { Deadline } from './deadline.js';

/** What clients saw. A reset or timeout is one request that a dead process held; a refusal means that nobody listened. */
export interface Seen {
  ok: number;
  refused: number;
  otherErrors: string[];
  versions: Map<string, number>;
  connections: number;
  longestGapMs: number;
}

export interface LoadOptions {
  port: number;
  /** New connection per request. */
  short?: number;
  /** Keep-alive connections that send POSTs, one after another. */
  keepAlive?: number;
  pauseMs?: number;
  timeoutMs?: number;
}

/** Clients that go on until stopped and count everything. */
export class Load {
  readonly seen: Seen = { ok: 0, refused: 0, otherErrors: [], versions: new Map(), connections: 0, longestGapMs: 0 };
  readonly #options: LoadOptions;
  readonly #loops: Promise<void>[] = [];
  #running = true;
  #lastOk = performance.now();

  constructor(options: LoadOptions) {
    this.#options = options;
    for (let i = 0; i < (options.short ?? 0); i++) this.#loops.push(this.#loop(undefined, 'GET'));
    for (let i = 0; i < (options.keepAlive ?? 0); i++) {
      this.#loops.push(this.#loop(new Agent({ keepAlive: true, maxSockets: 1 }), 'POST'));
    }
  }

  /** Resolves when `count` more requests have been answered. */
  async answered(count: number, withinMs = 60_000): Promise<void> {
    const goal = this.seen.ok + count;
    const deadline = new Deadline(withinMs);
    while (this.seen.ok < goal) {
      if (deadline.over) throw new Error(`only ${this.seen.ok} of ${goal} answers in time`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async stop(): Promise<Seen> {
    this.#running = false;
    await Promise.all(this.#loops);
    return this.seen;
  }

  async #loop(agent: Agent | undefined, method: string): Promise<void> {
    while (this.#running) {
      await this.#once(agent, method);
      if (this.#options.pauseMs) await new Promise((resolve) => setTimeout(resolve, this.#options.pauseMs));
    }
    agent?.destroy();
  }

  #once(agent: Agent | undefined, method: string): Promise<void> {
    const { port, timeoutMs = 5_000 } = this.#options;
    return new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'ECONNREFUSED') this.seen.refused += 1;
        else this.seen.otherErrors.push(error.code ?? error.message);
        setTimeout(resolve, 2);
      };
      const sent = request({ host: '127.0.0.1', port, method, agent: agent ?? false, timeout: timeoutMs }, (answer) => {
        let body = '';
        answer.on('data', (chunk) => {
          body += chunk;
        });
        answer.on('error', fail);
        answer.on('end', () => {
          this.#count(body);
          resolve();
        });
      });
      sent.on('socket', (socket) => {
        if (!sent.reusedSocket && socket.connecting) this.seen.connections += 1;
      });
      sent.on('error', fail);
      sent.on('timeout', () => sent.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })));
      sent.end(method === 'POST' ? 'x'.repeat(500) : undefined);
    });
  }

  #count(version: string): void {
    this.seen.ok += 1;
    this.seen.versions.set(version, (this.seen.versions.get(version) ?? 0) + 1);
    const now = performance.now();
    this.seen.longestGapMs = Math.max(this.seen.longestGapMs, now - this.#lastOk);
    this.#lastOk = now;
  }
}
