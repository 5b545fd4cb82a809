import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BoundProcess, startBoundProcess } from '../bound-process/bound-process.js';
import { freePort } from '../bound-process/free-port.js';
import { removeScratch } from '../scratch/remove-scratch.js';
import { findRedisServer } from './redis-server.js';

export interface RedisOptions {
  /** Append-only file, for tests about persistence. Default false. */
  persistent?: boolean;
  /** A Redis Cluster of one node, which refuses what any cluster refuses: commands across slots. Default false; never shared. */
  cluster?: boolean;
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
  /** Of the server process; undefined when not owned, or when it has ended. */
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
  if (url && options.shared !== false && !options.cluster) {
    await answers(url);
    return foreignRedis(url);
  }
  const server = await findRedisServer(options.download ?? true);
  const keepsFiles = options.persistent || options.cluster;
  const folder = keepsFiles ? await mkdtemp(path.join(tmpdir(), 'sidestep-redis-')) : undefined;
  const own = new OwnRedis(server, folder, { persistent: false, cluster: false, ...options });
  await own.startOnFreePort();
  return own;
}

const CONNECT_DEADLINE_MS = 3_000;

/** Rejects with one sentence when nobody listens where `REDIS_URL` says. */
function answers(url: string): Promise<void> {
  if (!/^rediss?(\+cluster)?:\/\/[^/]/.test(url)) {
    const allowed = 'allowed are redis://host:port, rediss://... (TLS) and redis+cluster://...';
    return Promise.reject(new Error(`REDIS_URL is no Redis address: ${allowed}; or unset it to get a Redis`));
  }
  const first = url.replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/, '').split(/[,/?]/)[0] ?? '';
  const [, host = first, port = '6379'] = /^(.*?)(?::(\d+))?$/.exec(first) ?? [];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(port), timeout: CONNECT_DEADLINE_MS });
    const fail = (why: string): void => {
      socket.destroy();
      reject(
        new Error(
          `REDIS_URL names ${host}:${port}, where nobody answers (${why}): start a Redis there, or unset REDIS_URL to get one`,
        ),
      );
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => fail('no connection in 3 s'));
    socket.once('error', (error) => fail((error as NodeJS.ErrnoException).code ?? error.message));
  });
}

function foreignRedis(url: string): RedisHandle {
  const refuse = async (): Promise<void> => {
    throw new Error('the Redis of REDIS_URL belongs to somebody else and is left alone');
  };
  return { url, owned: false, pid: () => undefined, kill: refuse, start: refuse, stop: async () => undefined };
}

const PORT_TRIES = 5;
/** Against a server that hangs, not against a slow machine. */
const ANSWER_DEADLINE_MS = 60_000;

class OwnRedis implements RedisHandle {
  readonly owned = true;
  private port = 0;
  private process: BoundProcess | undefined;

  constructor(
    private readonly server: string,
    /** Where its files are; without one it keeps nothing. */
    private readonly folder: string | undefined,
    private readonly kind: { persistent: boolean; cluster: boolean },
  ) {}

  get url(): string {
    return `${this.kind.cluster ? 'redis+cluster' : 'redis'}://127.0.0.1:${this.port}`;
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
    const { persistent, cluster } = this.kind;
    if (this.folder) args.push('--dir', this.folder);
    args.push(...(persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']));
    // A node that never met another one does not know its own address.
    const node = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
    if (cluster) args.push(...node, '--cluster-port', String(await freePort()));
    const started = await startBoundProcess(this.server, [...args, '--save', '']);
    this.process = started;
    void started.exited.then(() => {
      if (this.process === started) this.process = undefined;
    });
    await this.untilAsked(started, 'PING', '+PONG');
    if (!cluster) return;
    await ask(this.port, 'CLUSTER ADDSLOTSRANGE 0 16383');
    await this.untilAsked(started, 'CLUSTER INFO', 'cluster_state:ok');
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process?.kill(signal);
    await this.process?.exited;
    this.process = undefined;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
    if (this.folder) await removeScratch(this.folder);
  }

  private async untilAsked(started: BoundProcess, command: string, answer: string): Promise<void> {
    let gone: number | undefined;
    void started.exited.then((code) => {
      gone = code;
    });
    const end = Date.now() + ANSWER_DEADLINE_MS;
    while (!(await ask(this.port, command)).includes(answer)) {
      if (gone !== undefined) throw new Error(`${this.server} ended with ${gone}: ${started.output().trim()}`);
      if (Date.now() > end) throw new Error(`${this.server} did not answer within ${ANSWER_DEADLINE_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** What the server says first to a command; empty when it does not answer. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    const end = (answer: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => end(''));
    socket.once('data', (data) => end(data.toString()));
    socket.once('error', () => end(''));
  });
}
