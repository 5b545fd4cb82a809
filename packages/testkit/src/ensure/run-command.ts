import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';

export interface CommandResult {
  code: number;
  stdout: string;
  /** The last lines of what it said. */
  complaint: string;
}

/** Runs a program to its end; a program that is not there ends with code 127. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-4000);
    });
    child.once('error', (error) => resolve({ code: 127, stdout, complaint: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, complaint: lastLines(stderr || stdout) }));
  });
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-3).join(' / ');

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first of these programs on PATH. */
export async function findOnPath(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, name);
      if (folder && (await isExecutable(file))) return file;
    }
  }
  return undefined;
}
