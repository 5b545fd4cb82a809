import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { say } from './progress.mjs';

const POLL_MS = 200;

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const ownerOf = (lock) => {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Removes the lock of that dead owner; one that another process has linked since goes back where it was. */
const takeAway = (lock, owner) => {
  const aside = `${lock}.${process.pid}.dead`;
  try {
    renameSync(lock, aside);
    if (ownerOf(aside) !== owner) linkSync(aside, lock);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
};

/** Says false when another living process has it. A link appears whole or not at all: nobody sees a lock without its owner. */
const tryLock = (lock) => {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const owner = ownerOf(lock);
    if (owner !== undefined && !isAlive(owner)) takeAway(lock, owner);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
};

/** Runs `work` while no other process of this machine holds the lock; a dead owner's lock is taken away. */
export const withLock = async (lock, what, work) => {
  mkdirSync(path.dirname(lock), { recursive: true });
  let hasSaid = false;
  while (!tryLock(lock)) {
    if (!hasSaid) say(`Waiting for another command that is at ${what} (${lock}) …`);
    hasSaid = true;
    await wait(POLL_MS);
  }
  const release = () => {
    if (ownerOf(lock) === process.pid) rmSync(lock, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
};
