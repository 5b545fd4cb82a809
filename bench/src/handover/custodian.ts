import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { plainEnvironment } from './plain-environment.js';

const SLOT = 'custodian';
const LOOK_EVERY_MS = 5;

/** The second container of a pod, which keeps duplicates of the listening sockets. */
export class Custodian {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #socket: string;

  constructor(root: string, directory: string) {
    const agent = path.join(root, 'packages/migration-agent/bin/sidestep-agent.cjs');
    const env = plainEnvironment({ SIDESTEP_DIR: directory, SIDESTEP_SLOT: SLOT, SIDESTEP_GUARD_SECONDS: '0.2' });
    this.#socket = path.join(directory, `status.${SLOT}.sock`);
    this.#child = spawn(process.execPath, [agent, 'custodian'], { env, stdio: 'ignore' });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  /** Resolves once it keeps the sockets of the owner of this generation. @throws Error when it has ended. */
  async keeps(generation: number): Promise<void> {
    for (;;) {
      const status = await this.#status();
      if (status?.reason === 'keeping' && status.generation === generation) return;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the custodian has ended');
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #status(): Promise<{ reason: string; generation: number } | undefined> {
    return new Promise((resolve) => {
      const reader = connect(this.#socket);
      const finish = (text: string): void => {
        reader.destroy();
        // What it was saying when it ended is no answer.
        resolve(text.endsWith('}') ? JSON.parse(text) : undefined);
      };
      createInterface({ input: reader })
        .once('line', finish)
        .once('close', () => finish(''))
        .on('error', () => finish(''));
    });
  }
}
