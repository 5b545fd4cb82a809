import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { AgentError } from '../errors.js';
import { prebuilt } from '../native/prebuilt.js';

let launcher: string | undefined;

/**
 * Starts a program through the launcher, which gives it its own LISTEN_PID and ends it when this process ends.
 *
 * @param stays the launcher stays its parent, and is what this process starts: SIGUSR2 to it kills the program
 * @throws AgentError `LAUNCHER_MISSING`.
 */
export function launch(
  command: string[],
  stdio: StdioOptions,
  env: Record<string, string | undefined>,
  stays = false,
): ChildProcess {
  launcher ??= findLauncher();
  return spawn(launcher, [...(stays ? ['--stay'] : []), String(process.pid), ...command], { stdio, env });
}

/** Without arguments the launcher exits with 2; one for another libc does not start at all. */
export function findLauncher(): string {
  const found = prebuilt('sidestep-exec').find((path) => spawnSync(path, []).status === 2);
  if (found) return found;
  throw new AgentError('LAUNCHER_MISSING', `no launcher for linux-${process.arch}`, {
    hint: 'In a checkout run "pnpm --filter @sidestep/migration-agent build" (needs a C compiler).',
  });
}
