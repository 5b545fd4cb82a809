import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** A program that ends when we end, however we end. */
export interface BoundProcess {
  /** Of the program itself. */
  pid: number;
  /** The last lines it wrote, for messages about why it died. */
  output(): string;
  /** Resolves with the exit code once it is gone; 128 + N when a signal ended it. */
  exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and makes it end after the deadline. */
  stop(deadlineMs?: number): Promise<void>;
}

export interface BoundProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  onOutput?: (text: string) => void;
}

/**
 * Our death closes the pipe on descriptor 0, the reader sees its end and takes the program down: this also works after SIGKILL, when
 * nothing of ours can run any more. A shell does it because it costs a megabyte, where a Node process costs forty.
 */
const SUPERVISOR = `
exec 4<&0
"$@" 3>&- 4<&- </dev/null &
child=$!
echo "$child" >&3
exec 3>&-
( while read -r line <&4; do :; done; kill -TERM "$child"; sleep 5 & wait $!; kill -KILL "$child" ) 2>/dev/null >/dev/null &
reader=$!
exec 4<&-
trap 'kill -TERM "$child"' TERM
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
kill "$reader" 2>/dev/null
exit "$code"
`;

const OUTPUT_KEPT = 4000;

/** Starts a program bound to this process. Rejects when it cannot be started. */
export async function startBoundProcess(
  file: string,
  args: readonly string[],
  options: BoundProcessOptions = {},
): Promise<BoundProcess> {
  const { onOutput, ...spawnOptions } = options;
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'supervisor', file, ...args], {
    ...spawnOptions,
    // In a session of its own, so that a Ctrl-C at the terminal reaches us first and the order of stopping stays ours.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk).slice(-OUTPUT_KEPT);
    onOutput?.(chunk.toString());
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? 128));
    child.once('error', () => resolve(127));
  });
  const pid = await readPid(child);
  // A program that is left running must not keep ours from ending.
  child.unref();
  for (const stream of child.stdio) (stream as { unref?: () => void } | null)?.unref?.();
  const kill = (signal: NodeJS.Signals): void => {
    // Whoever kills it may wait for its end.
    child.ref();
    signalIfAlive(pid, signal, child);
  };
  return {
    pid,
    output: () => output,
    exited,
    kill,
    stop: async (deadlineMs = 3000) => {
      kill('SIGTERM');
      const timer = setTimeout(() => kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(timer);
      child.stdin?.destroy();
    },
  };
}

function readPid(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const pipe = child.stdio[3] as Readable;
    pipe.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.includes('\n')) resolve(Number(text));
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the process ended before it was started')));
  });
}

function signalIfAlive(pid: number, signal: NodeJS.Signals, supervisor: ChildProcess): void {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}
