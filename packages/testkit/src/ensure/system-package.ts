import { progress } from './cache.js';
import { findOnPath, runCommand } from './run-command.js';

/** How each package manager installs without asking. */
const MANAGERS = {
  'apt-get': { prepare: ['update', '-q'], install: ['install', '-y', '-q', '--no-install-recommends'] },
  apk: { prepare: ['update'], install: ['add'] },
  dnf: { prepare: ['--version'], install: ['install', '-y'] },
  pacman: { prepare: ['--version'], install: ['-S', '--noconfirm'] },
};

/** The package's name under each package manager that has it. */
export type PackageNames = Partial<Record<keyof typeof MANAGERS, string>>;

/** Installs a package of this system; false when that cannot be done, with the reason added to `tried`. */
export async function installPackage(names: PackageNames, tried: string[]): Promise<boolean> {
  for (const [manager, name] of Object.entries(names) as [keyof typeof MANAGERS, string][]) {
    const program = await findOnPath(manager);
    if (!program) continue;
    const asRoot = await rootPrefix();
    if (!asRoot) {
      tried.push(`${manager} wants a password`);
      return false;
    }
    const { prepare, install } = MANAGERS[manager];
    progress(`installing ${name}: ${[...asRoot, manager, ...install, name].join(' ')}`);
    await runElevated(asRoot, program, prepare);
    const done = await runElevated(asRoot, program, [...install, name]);
    if (done.code !== 0) tried.push(`${manager}: ${done.complaint}`);
    return done.code === 0;
  }
  tried.push('no package manager that is known here');
  return false;
}

/** Nothing for root, sudo where it asks for no password, undefined where we may not install. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  return (await runCommand('sudo', ['-n', 'true'])).code === 0 ? ['sudo', '-n'] : undefined;
}

const runElevated = (prefix: string[], program: string, args: string[]): ReturnType<typeof runCommand> => {
  const [file = program, ...rest] = [...prefix, program, ...args];
  // In runlevel 1 Debian's packages install their service without starting it.
  return runCommand(file, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } });
};
