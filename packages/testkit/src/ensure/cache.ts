import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where downloaded and built programs are kept between runs: `SIDESTEP_CACHE`, else `~/.cache/sidestep`. */
export const cacheFolder = (): string =>
  process.env.SIDESTEP_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'sidestep');

/** Progress of something that takes long; on stderr, because stdout belongs to the program's answer. */
export const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const LOCK_POLL_MS = 250;

/** Runs `work` in one process at a time; the lock of a process that died is taken over. */
export async function withCacheLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheFolder(), { recursive: true });
  const file = path.join(cacheFolder(), `${name}.lock`);
  while (!(await tryLock(file))) await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!(await ownerIsAlive(file))) await rm(file, { force: true });
    return false;
  }
}

async function ownerIsAlive(file: string): Promise<boolean> {
  const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (owner === process.pid) return true;
  try {
    // An empty file is a lock whose owner is just about to write its id.
    return owner === 0 || process.kill(owner, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
