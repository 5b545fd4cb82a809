import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
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
  let child: ChildProcessByStdio<null, Readable, Readable>;
  try {
    child = spawn(options.command[0] ?? '', options.command.slice(1), {
      env: options.env,
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    // An empty command, or a zero byte in it.
    return Promise.resolve({ exitCode: -1, output: String(error), timedOut: false });
  }
  return outcomeOf(child, options);
}

function outcomeOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
  { timeoutMs, signal }: ExecOptions,
): Promise<ExecResult> {
  return new Promise((resolve) => {
    let output = '';
    let timedOut = false;
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = () => child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL');
    const expire = () => {
      timedOut = true;
      end();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    const finish = (exitCode: number, extra = '') => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve({ exitCode, output: output + extra, timedOut });
    };
    child.once('error', (error) => finish(-1, String(error)));
    child.once('exit', (code) => {
      // What the command left running may hold its pipes open for ever.
      end();
      // The output that is already in the pipes is read before they are closed.
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        finish(code ?? -1);
      });
    });
  });
}
