import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.js';

/**
 * The directory itself when this user can own it, else a subdirectory of its own: a kubelet creates an emptyDir as root and 0777,
 * which a proxy that runs as another user cannot close.
 */
export function ownDirectory(path: string): string {
  const own = process.getuid?.() ?? 0;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const mine = found.uid === own ? path : join(path, `user-${own}`);
  if (mine !== path) mkdirSync(mine, { recursive: true, mode: 0o700 });
  const facts = lstatSync(mine);
  if (!facts.isDirectory() || facts.uid !== own) {
    throw new AgentError('UNSAFE_DIRECTORY', `${mine} does not belong to user ${own} alone`, {
      hint: 'Mount an emptyDir that only the sidecar containers share, and run both as the same user.',
    });
  }
  if ((facts.mode & 0o077) !== 0) chmodSync(mine, 0o700);
  return mine;
}
