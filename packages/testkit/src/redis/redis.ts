import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BoundProcess, startBoundProcess } from '../bound-process/bound-process.js';
import { freePort } from '../bound-process/free-port.js';
import { findRedisServer } from './redis-server.js';

export interface RedisOptions {
  /** Append-only file, for tests about persistence. Default false. */
  persistent?: boolean;
  /** Use `REDIS_URL` when it is set. Default true; tests that kill Redis need their own. */
  shared?: boolean;
  /** May programs be fetched or installed? Default true. */
  download?: boolean;
}

/** A Redis to use. */
export interface RedisHandle {
  url: string;
  /** False for a Redis that somebody else runs (`REDIS_URL`): it is neither killed, restarted nor stopped from here. */
  owned: boolean;
  /** Of the server process; undefined when not owned. */
  pid(): number | undefined;
  /** Kills the server; `start` brings it back on the same port. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Gives a Redis: the one of `REDIS_URL`, else a private server on a free port that lives as long as this process and keeps nothing.
 * Rejects with one sentence that says how to get a server when there is none.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisHandle> {
  const url = process.env.REDIS_URL;
  if (url && options.shared !== false) return foreignRedis(url);
  const server = await findRedisServer(options.download ?? true);
  const own = new OwnRedis(
    server,
    options.persistent ? await mkdtemp(path.join(tmpdir(), 'sidestep-redis-')) : undefined,
  );
  await own.startOnFreePort();
  return own;
}

function foreignRedis(url: string): RedisHandle {
  const refuse = async (): Promise<void> => {
    throw new Error('the Redis of REDIS_URL belongs to somebody else and is left alone');
  };
  return { url, owned: false, pid: () => undefined, kill: refuse, start: refuse, stop: async () => undefined };
}

const PORT_TRIES = 5;
const ANSWER_DEADLINE_MS = 10_000;

class OwnRedis implements RedisHandle {
  readonly owned = true;
  private port = 0;
  private process: BoundProcess | undefined;

  constructor(
    private readonly server: string,
    /** Where its append-only file is; without one it keeps nothing. */
    private readonly folder: string | undefined,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  pid(): number | undefined {
    return this.process?.pid;
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await freePort();
      try {
        return await this.start();
      } catch (error) {
        if (attempt === PORT_TRIES || !/in use/i.test((error as Error).message)) throw error;
      }
    }
  }

  async start(): Promise<void> {
    const port = String(this.port);
    const args = ['--port', port, '--bind', '127.0.0.1', '--maxmemory-policy', 'noeviction'];
    const keep = this.folder
      ? ['--dir', this.folder, '--appendonly', 'yes', '--appendfsync', 'always']
      : ['--appendonly', 'no'];
    const started = await startBoundProcess(this.server, [...args, '--save', '', ...keep]);
    this.process = started;
    await this.answered(started);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process?.kill(signal);
    await this.process?.exited;
    this.process = undefined;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  private async answered(started: BoundProcess): Promise<void> {
    let gone: number | undefined;
    void started.exited.then((code) => {
      gone = code;
    });
    const end = Date.now() + ANSWER_DEADLINE_MS;
    while (!(await answersPing(this.port))) {
      if (gone !== undefined) throw new Error(`${this.server} ended with ${gone}: ${started.output().trim()}`);
      if (Date.now() > end) throw new Error(`${this.server} did not answer within ${ANSWER_DEADLINE_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
  });
}
