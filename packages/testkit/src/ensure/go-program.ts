import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { progress, withCacheLock } from './cache.js';
import { findOnPath, isExecutable, runCommand } from './run-command.js';

const REMINDER_MS = 30_000;

/** A program that comes as Go modules only. */
export interface GoProgram {
  name: string;
  version: string;
  /** Folder of the Go module that pins every dependency. */
  module: string;
  /** The package with `main`. */
  main: string;
  linkerFlags?: string;
  /** Go that it needs at least. */
  go: string;
  /** How long it takes the first time on two cores, in words. */
  takes: string;
}

/** Compiles the program to `target`, unless it is there. @throws Error with the reason in one line. */
export function buildGoProgram(program: GoProgram, target: string): Promise<string> {
  const { name, version, takes } = program;
  return withCacheLock(name, async () => {
    if (await isExecutable(target)) return target;
    const go = await findOnPath('go');
    if (!go) throw new Error(`Go ${program.go} or newer is needed to build it (https://go.dev/dl)`);
    progress(`building ${name} ${version} with Go: ${takes} on two cores, then cached in ${path.dirname(target)}`);
    await mkdir(path.dirname(target), { recursive: true });
    const started = Date.now();
    const seconds = (): number => Math.round((Date.now() - started) / 1000);
    const reminder = setInterval(() => progress(`  still building ${name}, ${seconds()} s`), REMINDER_MS);
    try {
      await compile(go, `${target}.part`, program);
    } finally {
      clearInterval(reminder);
    }
    await rename(`${target}.part`, target);
    progress(`built ${name} ${version} in ${seconds()} s`);
    return target;
  });
}

async function compile(go: string, target: string, { module, main, linkerFlags = '-s -w' }: GoProgram): Promise<void> {
  const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags, '-o', target, main];
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' };
  const built = await runCommand(go, args, { cwd: module, env });
  if (built.code !== 0) throw new Error(`go build failed: ${built.complaint}`);
}
