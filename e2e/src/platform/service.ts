import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** One program of the platform, as an own OS process. */
export interface ServiceSpec {
  name: string;
  /** The built entry file. */
  file: string;
  args?: string[];
  env?: Record<string, string>;
  /** Answers 200 once the program can do its work. */
  readyUrl?: string;
}

const DEADLINE_MS = 30_000;

/** Resolves once `probe` gives a value; rejects with `what` after the deadline. */
export const until = async <T>(
  probe: () => Promise<T | undefined> | T | undefined,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<T> => {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
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

/** A port that was free a moment ago. */
export const freePort = (host = '127.0.0.1'): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Starts, kills and restarts one program; its output goes to `<logFolder>/<name>.log`. */
export class Service {
  readonly spec: ServiceSpec;
  readonly logFile: string;
  private child: ChildProcess | undefined;
  private readonly log: WriteStream;
  private announced: Promise<Record<string, unknown>> = new Promise(() => {});
  private ended: Promise<void> = Promise.resolve();

  constructor(spec: ServiceSpec, logFolder: string) {
    this.spec = spec;
    this.logFile = path.join(logFolder, `${spec.name}.log`);
    this.log = createWriteStream(this.logFile, { flags: 'a' });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get stdin(): NodeJS.WritableStream | null {
    return this.child?.stdin ?? null;
  }

  start(onLine?: (line: string) => void): this {
    const child = spawn(process.execPath, [this.spec.file, ...(this.spec.args ?? [])], {
      env: { ...process.env, ...this.spec.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stderr.pipe(this.log, { end: false });
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
    this.announced = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.log.write(`${line}\n`);
        onLine?.(line);
        if (line.startsWith('{')) resolve(JSON.parse(line));
      });
    });
    this.announced.catch(() => {});
    return this;
  }

  /** The first JSON object the program printed. */
  async announcement(): Promise<Record<string, unknown>> {
    return Promise.race([this.announced, this.failedToStart()]);
  }

  async ready(): Promise<this> {
    const { readyUrl, name } = this.spec;
    if (readyUrl) {
      await until(() => {
        if (!this.running) throw new Error(`${name} ended while starting; see ${this.logFile}`);
        return answers200(readyUrl);
      }, `${name} to answer ${readyUrl} (log: ${this.logFile})`);
    }
    return this;
  }

  /** Ends it at once, as a crash would. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.running) return;
    this.child?.kill(signal);
    await this.ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Asks it to end, and insists after five seconds. */
  async stop(): Promise<void> {
    if (this.running) {
      const insist = setTimeout(() => this.child?.kill('SIGKILL'), 5_000);
      this.child?.kill('SIGTERM');
      await this.ended;
      clearTimeout(insist);
    }
    this.log.end();
  }

  private async failedToStart(): Promise<never> {
    await this.ended;
    throw new Error(`${this.spec.name} ended before it was ready; see ${this.logFile}`);
  }
}
