import { readFile } from 'node:fs/promises';
import { readConfig } from '../src/config.js';
import { runProgram } from '../src/program.js';
import type { Output } from '../src/surroundings.js';

export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliWorld {
  /** Texts by the name under which the command asks for them; `-` is the standard input. */
  files?: Record<string, string>;
  env?: Record<string, string>;
  isTTY?: boolean;
  now?: Date;
  stop?: AbortSignal;
  /** Sees the standard output as it grows. */
  onOutput?: (text: string) => void;
  /** Sees the standard error as it grows. */
  onError?: (text: string) => void;
}

const buffer = (isTTY: boolean, onWrite: (text: string) => void = () => undefined): Output & { text: string } => ({
  text: '',
  isTTY,
  columns: 120,
  rows: 40,
  write(chunk) {
    this.text += chunk;
    onWrite(this.text);
  },
});

/** Runs one command line in this process, with nothing of the outside but what is given. */
export async function runCli(argv: readonly string[], world: CliWorld = {}): Promise<CliRun> {
  const stdout = buffer(world.isTTY ?? false, world.onOutput);
  const stderr = buffer(false, world.onError);
  const code = await runProgram(argv, {
    config: readConfig(world.env ?? {}),
    stdout,
    stderr,
    readText: async (file) => world.files?.[file] ?? readFile(file, 'utf8'),
    now: () => world.now ?? new Date(),
    stop: world.stop ?? new AbortController().signal,
    exitCode: 0,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
