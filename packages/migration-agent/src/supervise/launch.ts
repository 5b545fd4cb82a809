import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { AgentError } from '../errors.js';
import { prebuilt } from '../native/prebuilt.js';

let launcher: string | undefined;

/**
 * Starts a program through the launcher, which is the child: it passes signals on to the program, ends as that does, and lets nothing
 * of it outlive this process or itself.
 *
 * @throws AgentError `LAUNCHER_MISSING`.
 */
export function launch(command: string[], stdio: StdioOptions, env: Record<string, string | undefined>): ChildProcess {
  launcher ??= findLauncher();
  return spawn(launcher, [String(process.pid), ...command], { stdio, env });
}

/** Ends a program and everything that came of it, at once. SIGKILL would end the launcher only. */
export function killAll(child: ChildProcess): void {
  child.kill('SIGUSR2');
}

/** Without arguments the launcher exits with 2; one for another libc does not start at all. */
export function findLauncher(): string {
  const found = prebuilt('sidestep-exec').find((path) => spawnSync(path, []).status === 2);
  if (found) return found;
  throw new AgentError('LAUNCHER_MISSING', `no launcher for linux-${process.arch}`, {
    hint: 'In a checkout run "pnpm --filter @sidestep/migration-agent build" (needs a C compiler).',
  });
}
