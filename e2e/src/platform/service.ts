import { appendFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { type BoundProcess, startBoundProcess } from '@sidestep/testkit';

/** One program of the platform, as an own OS process. */
export interface ServiceSpec {
  name: string;
  /** The built entry file. */
  file: string;
  args?: string[];
  env?: Record<string, string>;
  /** Answers 200 once the program can do its work. */
  readyUrl?: string;
  /** How long it may take to end when it is asked to. Default five seconds. */
  patienceMs?: number;
}

/** Against a wait without end, not against a slow machine. */
const DEADLINE_MS = 120_000;
const START_DEADLINE_MS = 240_000;
const PATIENCE_MS = 5_000;

/** A look that takes longer counts as no more: the machine, and with it what is waited for, may have stood still. */
const MOST_OF_ONE_LOOK_MS = 5_000;

/** Resolves once `probe` gives a value; rejects with `what` after the deadline, of which a machine that stands still uses nothing up. */
export const until = async <T>(
  probe: () => Promise<T | undefined> | T | undefined,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<T> => {
  let waitedMs = 0;
  for (let since = performance.now(); ; since = performance.now()) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (waitedMs > deadlineMs) throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    waitedMs += Math.min(performance.now() - since, MOST_OF_ONE_LOOK_MS);
  }
};

const answers200 = (url: string): Promise<true | undefined> =>
  new Promise((resolve) => {
    const request = http.get(url, { timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? true : undefined);
    });
    request.once('error', () => resolve(undefined));
    request.once('timeout', () => request.destroy());
  });

/** Starts, kills and restarts one program that ends with this process; its output goes to `<logFolder>/<name>.log`. */
export class Service {
  readonly spec: ServiceSpec;
  readonly logFile: string;
  private bound: BoundProcess | undefined;
  private alive = false;
  private starting: Promise<void> | undefined;
  private announced: Record<string, unknown> | undefined;

  constructor(spec: ServiceSpec, logFolder: string) {
    this.spec = spec;
    this.logFile = path.join(logFolder, `${spec.name}.log`);
  }

  get pid(): number | undefined {
    return this.bound?.pid;
  }

  get isAlive(): boolean {
    return this.alive;
  }

  /** At most one runs, whoever else asks for it meanwhile: two would be at one port. */
  async start(onLine?: (line: string) => void): Promise<this> {
    if (this.alive) return this;
    this.starting ??= this.startAnother(onLine).finally(() => {
      this.starting = undefined;
    });
    await this.starting;
    return this;
  }

  /** The first JSON object the program printed. */
  announcement(): Promise<Record<string, unknown>> {
    return this.untilUp(() => this.announced, 'to say that it is ready');
  }

  async ready(): Promise<this> {
    const { readyUrl } = this.spec;
    if (readyUrl) await this.untilUp(() => answers200(readyUrl), `to answer ${readyUrl}`);
    return this;
  }

  /** Stops it (SIGSTOP) or lets it go on (SIGCONT), as a machine out of breath would. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.bound?.kill(signal);
  }

  /** Ends it at once, as a crash would. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.starting;
    this.bound?.kill(signal);
    await this.bound?.exited;
  }

  /** Asks it to end, and insists when its patience is over. */
  async stop(): Promise<void> {
    await this.starting;
    await this.bound?.stop(this.spec.patienceMs ?? PATIENCE_MS);
  }

  private async startAnother(onLine?: (line: string) => void): Promise<void> {
    let rest = '';
    const take = (text: string): void => {
      this.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!this.announced && line.startsWith('{')) this.announced = JSON.parse(line);
        onLine?.(line);
      }
    };
    const bound = await startBoundProcess(process.execPath, [this.spec.file, ...(this.spec.args ?? [])], {
      env: { ...process.env, ...this.spec.env },
      onOutput: take,
    });
    this.bound = bound;
    this.alive = true;
    void bound.exited.then(() => {
      if (this.bound === bound) this.alive = false;
    });
  }

  private write(text: string): void {
    try {
      appendFileSync(this.logFile, text);
    } catch (error) {
      // Of a process that was just killed some may come after its folder was removed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  private untilUp<T>(probe: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
    const { name } = this.spec;
    return until(
      () => {
        if (!this.alive) throw new Error(`${name} ended while starting; see ${this.logFile}`);
        return probe();
      },
      `${name} ${what} (log: ${this.logFile})`,
      START_DEADLINE_MS,
    );
  }
}
