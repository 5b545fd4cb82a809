import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import os from 'node:os';
import { KubeletError } from './kubelet-error.js';
import { CONTAINER_MARK, killMarked, signalProcess } from './process-marks.js';

/** How a process ended. */
export interface ProcessExit {
  exitCode: number;
  signal?: number;
  atMs: number;
}

/** What is run, with everything resolved. */
export interface ProcessSpec {
  containerID: string;
  command: readonly string[];
  env: Record<string, string>;
  cwd: string;
  logFile: string;
}

/** The main process of a container in its own session, and whatever it started. */
export class ContainerProcess {
  readonly pid: number;
  readonly startedAtMs = Date.now();
  /** Resolves when the main process and all that it left behind are gone. */
  readonly ended: Promise<ProcessExit>;
  readonly spec: ProcessSpec;

  /** Throws `KubeletError` (`RunContainerError`) when the program cannot be started. */
  constructor(spec: ProcessSpec) {
    this.spec = spec;
    const log = openSync(spec.logFile, 'a', 0o600);
    try {
      const child = spawn(spec.command[0]!, spec.command.slice(1), {
        env: spec.env,
        cwd: spec.cwd,
        detached: true,
        stdio: ['ignore', log, log],
      });
      this.ended = this.#watch(child);
      if (child.pid === undefined) {
        throw new KubeletError(
          'RunContainerError',
          `cannot run ${spec.command[0]}: no such program on the container's PATH, or the working directory is missing`,
          'Check the command in the image catalogue and in the pod.',
        );
      }
      this.pid = child.pid;
    } finally {
      closeSync(log);
    }
  }

  /** Sends a signal to the main process alone, as a container runtime does. */
  signal(signal: NodeJS.Signals): boolean {
    return signalProcess(this.pid, signal);
  }

  /** Sends a signal to the whole process group. */
  signalAll(signal: NodeJS.Signals): boolean {
    return signalProcess(-this.pid, signal);
  }

  #watch(child: ChildProcess): Promise<ProcessExit> {
    return new Promise((resolve) => {
      // A spawn error comes as an event besides the missing pid that the constructor looks at.
      child.once('error', () => resolve({ exitCode: 128, atMs: Date.now() }));
      child.once('exit', (code, name) => {
        const atMs = Date.now();
        const signal = name === null ? undefined : os.constants.signals[name];
        const exit = { exitCode: code ?? 128 + (signal ?? 0), ...(signal === undefined ? {} : { signal }), atMs };
        if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
        killMarked(CONTAINER_MARK, this.spec.containerID).then(
          () => resolve(exit),
          () => resolve(exit),
        );
      });
    });
  }
}
