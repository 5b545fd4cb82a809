import { chmodSync, lstatSync, mkdirSync, openSync } from 'node:fs';
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
  return shortName(mine);
}

/** A Unix socket's path has 108 bytes at most, and the names in here need some of them. */
const LONGEST = 70;
const opened = new Map<string, string>();

/** The same directory by a name that is short enough: that of an open descriptor, kept for the life of the process. */
function shortName(path: string): string {
  if (Buffer.byteLength(path) <= LONGEST) return path;
  const known = opened.get(path) ?? `/proc/${process.pid}/fd/${openSync(path, 'r')}`;
  opened.set(path, known);
  return known;
}
