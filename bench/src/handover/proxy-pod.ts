import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, removeScratch } from '@sidestep/testkit';
import { family, proportionalMB } from './memory.js';
import type { HowItIsRun, ProxySubject } from './proxy-subject.js';

/** The clients are gone by then: nothing is left to be finished. */
const ENDING_MS = 10_000;
const BACKLOG = 4_096;

/** The sidecar of one pod, version after version. */
export class ProxyPod {
  readonly port: number;
  readonly #root: string;
  readonly #subject: ProxySubject;
  readonly #how: HowItIsRun;
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  readonly #running = new Map<ChildProcess, Promise<void>>();
  #current: ChildProcess | undefined;
  #version = 0;

  private constructor(root: string, subject: ProxySubject, how: HowItIsRun, port: number) {
    this.#root = root;
    this.#subject = subject;
    this.#how = how;
    this.port = port;
  }

  static async create(root: string, subject: ProxySubject, how: HowItIsRun): Promise<ProxyPod> {
    return new ProxyPod(root, subject, how, await freePort());
  }

  /** Resolves when the next version serves. */
  async upgrade(): Promise<void> {
    const version = this.#version++;
    const room = { version, port: this.port, directory: this.#directory, how: this.#how };
    const command = this.#subject.command(room);
    const env = this.#subject.env?.(room) ?? {};
    if (this.#how === 'adapter') {
      const agent = path.join(this.#root, 'packages/migration-agent/bin/sidestep-agent.cjs');
      const run = ['run', '--adapter', this.#subject.adapter, ...this.#subject.options(this.port)];
      this.#current = this.#start([process.execPath, agent, ...run, '--', ...command], env);
      await owns(this.#current);
      return;
    }
    this.#current?.kill('SIGTERM');
    await this.oldOnesEnded(true);
    this.#current = this.#subject.activated ? await this.#activate(command, env) : this.#start(command, env);
    while (!(await answers(this.port))) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** All but the current one, or all. */
  async oldOnesEnded(all = false): Promise<void> {
    await Promise.all([...this.#running].filter(([child]) => all || child !== this.#current).map(([, ended]) => ended));
  }

  /** Proportional memory of everything that runs here: pages that processes share count once. */
  memoryMB(): number {
    return proportionalMB([...this.#running.keys()].flatMap(({ pid }) => pid ?? []));
  }

  async close(): Promise<void> {
    // In good order where they can: an Envoy or its agent that is killed leaves files in /dev/shm.
    for (const child of this.#running.keys()) child.kill('SIGTERM');
    await Promise.race([this.oldOnesEnded(true), new Promise((resolve) => setTimeout(resolve, ENDING_MS).unref())]);
    // Workers of a proxy survive their master.
    for (const { pid } of this.#running.keys()) for (const each of pid ? family(pid) : []) kill(each);
    await this.oldOnesEnded(true);
    await removeScratch(this.#directory);
  }

  /** With a socket of its own as descriptor 3, as if it had bound one by itself. */
  async #activate(command: string[], env: Record<string, string>): Promise<ChildProcess> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: this.port, backlog: BACKLOG }, resolve);
    });
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const itself = ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...command];
    const child = this.#start(itself, { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web', ...env }, [fd]);
    server.close();
    return child;
  }

  #start([program = '', ...args]: string[], more: Record<string, string>, fds: number[] = []): ChildProcess {
    const env = { ...process.env, SIDESTEP_DIR: this.#directory, SIDESTEP_GUARD_SECONDS: '0.2', ...more };
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe', ...fds] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#running.set(child, ended);
    void ended.then(() => this.#running.delete(child));
    return child;
  }
}

/** @throws Error when it ends before. */
function owns(agent: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    createInterface({ input: agent.stderr! }).on('line', (line) => {
      if (line.includes('"role":"owner"')) resolve();
    });
    agent.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
