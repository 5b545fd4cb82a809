import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DataDirError } from './data-dir-error.js';

/** When a process began, in ticks since boot: with it a pid that is used again is told apart. Empty when there is no such process. */
function startOf(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; field 22 of proc(5) is the 20th behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

const identity = (pid: string): string => `${pid} ${startOf(pid)}`;

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const isHeld = (owner: string): boolean => owner === identity(owner.split(' ')[0] ?? '');

/** Two writers of one journal would spoil it. A dead owner's lock is taken over. Returns what gives it back. */
export function takeLock(file: string): () => void {
  const own = identity(String(process.pid));
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, own, { mode: 0o600 });
  try {
    // A link appears whole or not at all: nobody sees a lock without its owner.
    while (!linked(mine, file)) takeFromTheDead(file, mine);
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (read(file) === own) rmSync(file);
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function takeFromTheDead(file: string, mine: string): void {
  const owner = read(file);
  if (owner === undefined) return;
  if (isHeld(owner)) throw inUse(file, owner);
  const aside = `${mine}.dead`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Somebody else may have taken it over meanwhile: theirs goes back.
  if (read(aside) !== owner) linked(aside, file);
  rmSync(aside, { force: true });
}

const inUse = (file: string, owner: string): DataDirError =>
  new DataDirError(
    'DataDirInUse',
    `another kube-sim (pid ${owner.split(' ')[0]}) has the data directory of ${file}`,
    'End that one first, or give another directory.',
  );
