import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { removeFolder, removeScratch } from '../scratch/remove-scratch.js';

/** A unix socket's path has at most 107 bytes; this leaves half of them to names inside a volume. */
const LONGEST_VOLUMES_PATH = 48;

/** The folders of one kubelet. */
export interface StateDirectory {
  volumesDir: string;
  binDir: string;
  controlSocket: string;
  /** Removes what must not outlive the kubelet: volumes, sockets, short names. Logs stay. */
  clear(): Promise<void>;
}

/** Makes the folders, and a short name for the volumes where theirs is too long for the sockets in them. */
export async function prepareStateDirectory(
  stateDir: string,
  programs: Record<string, string>,
): Promise<StateDirectory> {
  const volumes = path.join(stateDir, 'v');
  const binDir = path.join(stateDir, 'bin');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  for (const dir of [volumes, binDir]) {
    // A kubelet that was killed may have left containers that are being ended.
    await removeFolder(dir);
    await mkdir(dir, { mode: 0o700 });
  }
  for (const [name, file] of Object.entries(programs)) await symlink(path.resolve(file), path.join(binDir, name));
  const short = await shortName(volumes);
  const controlSocket = path.join(short?.folder ?? stateDir, 'control.sock');
  await rm(controlSocket, { force: true });
  return {
    volumesDir: short ? short.link : volumes,
    binDir,
    controlSocket,
    async clear() {
      const gone = [volumes, binDir, controlSocket, ...(short ? [short.folder] : [])];
      for (const each of gone) await removeScratch(each);
    },
  };
}

async function shortName(volumes: string): Promise<{ folder: string; link: string } | undefined> {
  if (Buffer.byteLength(volumes) <= LONGEST_VOLUMES_PATH) return undefined;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sk-'));
  const link = path.join(folder, 'v');
  await symlink(path.resolve(volumes), link);
  return { folder, link };
}
