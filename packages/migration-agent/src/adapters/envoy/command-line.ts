import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AgentError } from '../../errors.js';
import type { EnvoyBase } from './base.js';

/** Options that say how Envoy restarts: the agent's to choose. */
const OURS = new Set([
  '--base-id',
  '--base-id-path',
  '--use-dynamic-base-id',
  '--restart-epoch',
  '--parent-shutdown-time-s',
  '--socket-path',
  '--socket-mode',
  '--disable-hot-restart',
  '--skip-hot-restart-on-no-parent',
  '--skip-hot-restart-parent-stats',
]);

/** The hot restart protocol that is spoken here; Envoy has had this number since 2021. */
const PROTOCOL = 11;

const VERSION_MS = 10_000;
const SOCKET_MODE = 0o600;

/** What the user wrote after `--`, with what matters to a restart taken out of it. */
export interface EnvoyCommand {
  program: string;
  args: string[];
  /** `--config-yaml`, which Envoy takes only once; the agent needs it for itself. */
  inlineConfig: string | undefined;
  /** A static UDP listener, of which Envoy wants one socket for each worker. */
  udp: boolean;
  saysDrainTime: boolean;
}

/** @throws TypeError naming the option that is not the user's to give. */
export function readEnvoyCommand([program = '', ...given]: readonly string[]): EnvoyCommand {
  const args = given.flatMap((arg) => {
    const equals = /^(--[a-z-]+)=(.*)$/s.exec(arg);
    return equals ? [equals[1]!, equals[2]!] : [arg];
  });
  const refused = args.find((arg) => OURS.has(arg));
  if (refused) throw new TypeError(`${refused} is set by the envoy adapter itself; leave it out`);
  const valueAfter = (...names: string[]): string | undefined => {
    const at = args.findIndex((arg) => names.includes(arg));
    return at < 0 ? undefined : args[at + 1];
  };
  const mode = valueAfter('--mode');
  if (mode !== undefined && mode !== 'serve') throw new TypeError(`--mode ${mode} does not serve; leave it out`);
  const file = valueAfter('-c', '--config-path');
  const inlineConfig = valueAfter('--config-yaml');
  if (file !== undefined && inlineConfig !== undefined) {
    throw new TypeError('-c and --config-yaml together are not supported by the envoy adapter; put all into the file');
  }
  const at = args.indexOf('--config-yaml');
  if (at >= 0) args.splice(at, 2);
  const text = inlineConfig ?? (file === undefined ? '' : readOrEmpty(file));
  return {
    program,
    args,
    inlineConfig,
    udp: /protocol["']?\s*:\s*["']?UDP\b/.test(text),
    saysDrainTime: args.includes('--drain-time-s'),
  };
}

/** A file that is not there is Envoy's to complain about. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** How one launch restarts. */
export interface Launch {
  base: EnvoyBase;
  epoch: number;
  /** A Unix socket that only the agent knows. */
  adminPath: string;
  /** When Envoy tells its parent to end. */
  parentShutdownSeconds: number;
  /** Neither asks its parent for counters: for a parent that ended meanwhile Envoy would wait, and then end itself. */
  skipParentStats: boolean;
  drainMs: number;
}

/** The whole command line of one launch. The returned function frees what was made for it. */
export function launchCommand(command: EnvoyCommand, launch: Launch): { command: string[]; free: () => void } {
  const { base, epoch, adminPath, parentShutdownSeconds, skipParentStats, drainMs } = launch;
  const file = `${adminPath}.yaml`;
  if (command.inlineConfig !== undefined) writeFileSync(file, command.inlineConfig, { mode: 0o600 });
  // Merged over the configuration: a port would belong to the older generation until it ends.
  const admin = { admin: { address: { pipe: { path: adminPath, mode: SOCKET_MODE } } } };
  // Half of what the agent grants: Envoy closes more and more connections in this time, the rest is for those that answer slowly.
  const drainSeconds = Math.max(1, Math.round(drainMs / 2000));
  return {
    command: [
      command.program,
      ...command.args,
      ...(command.inlineConfig === undefined ? [] : ['-c', file]),
      ...['--config-yaml', JSON.stringify(admin)],
      ...['--base-id', String(base.id), '--restart-epoch', String(epoch)],
      ...['--socket-path', base.prefix, '--socket-mode', SOCKET_MODE.toString(8)],
      ...['--parent-shutdown-time-s', String(parentShutdownSeconds)],
      ...(skipParentStats ? ['--skip-hot-restart-parent-stats'] : []),
      ...(command.saysDrainTime ? [] : ['--drain-time-s', String(drainSeconds)]),
    ],
    free: () => {
      for (const path of [file, adminPath]) rmSync(path, { force: true });
    },
  };
}

export interface HotRestartVersion {
  major: number;
  /** Bytes of shared memory. */
  size: number;
}

/** Whether the agent can be the parent of such an Envoy. */
export function isSpoken({ major }: HotRestartVersion): boolean {
  return major === PROTOCOL;
}

const known = new Map<string, HotRestartVersion>();

/** What `--hot-restart-version` says; asked once, an image does not change. @throws AgentError `HOT_RESTART`. */
export async function hotRestartVersion(program: string): Promise<HotRestartVersion> {
  const before = known.get(program);
  if (before) return before;
  const said = await new Promise<string>((resolve, reject) => {
    execFile(program, ['--hot-restart-version'], { timeout: VERSION_MS }, (error, stdout, stderr) => {
      if (error) reject(noHotRestart(`${program} cannot be asked for its hot restart version: ${error.message}`));
      else resolve(`${stdout}${stderr}`.trim());
    });
  });
  const parts = /^(\d+)\.(\d+)$/m.exec(said);
  if (!parts) throw noHotRestart(`${program} has no hot restart (it says "${said.slice(0, 100)}")`);
  const version = { major: Number(parts[1]), size: Number(parts[2]) };
  known.set(program, version);
  return version;
}

function noHotRestart(message: string): AgentError {
  return new AgentError('HOT_RESTART', message, {
    hint: 'Any other Envoy runs with --adapter exec, which stops the old one before the new one starts.',
  });
}
