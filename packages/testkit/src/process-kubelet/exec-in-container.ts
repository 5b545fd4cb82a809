import { spawn } from 'node:child_process';
import { signalProcess } from './process-marks.js';

/** What a command inside a container came to. `exitCode` is -1 when it was ended from outside or could not be started. */
export interface ExecResult {
  exitCode: number;
  output: string;
  timedOut: boolean;
}

export interface ExecOptions {
  command: readonly string[];
  env: Record<string, string>;
  cwd: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** As much of a hook's or a probe's output as is kept. */
const OUTPUT_LIMIT = 10 * 1024;

/** Runs a command as the runtime's exec does: with the container's variables, ended when the time is up or the container is. */
export function execInContainer(options: ExecOptions): Promise<ExecResult> {
  return new Promise((resolve) => {
    const child = spawn(options.command[0] ?? '', options.command.slice(1), {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let timedOut = false;
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = () => child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL');
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            end();
          }, options.timeoutMs);
    options.signal?.addEventListener('abort', end, { once: true });
    if (options.signal?.aborted) end();
    const finish = (exitCode: number, extra = '') => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', end);
      resolve({ exitCode, output: output + extra, timedOut });
    };
    child.once('error', (error) => finish(-1, String(error)));
    child.once('exit', (code) => {
      // What the command left running may hold its pipes open for ever.
      end();
      child.stdout.destroy();
      child.stderr.destroy();
      finish(code ?? -1);
    });
  });
}
