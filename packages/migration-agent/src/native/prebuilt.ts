import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The paths under which a build for this machine may be: what was compiled here, then what is prebuilt. An image may ship both libcs;
 * only the one that fits will start.
 */
export function prebuilt(file: 'sidestep.node' | 'sidestep-exec'): string[] {
  const room = fileURLToPath(new URL('../..', import.meta.url));
  return ['build', 'prebuilds']
    .flatMap((folder) => ['gnu', 'musl'].map((libc) => join(room, folder, `linux-${process.arch}-${libc}`, file)))
    .filter((path) => existsSync(path));
}
