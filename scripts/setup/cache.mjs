import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { SetupError } from './progress.mjs';

/** Downloads and compiled tools that outlive a checkout: SIDESTEP_CACHE, else the user's cache folder. */
export const cacheFolder = (...parts) => {
  // An empty variable counts as unset, as the XDG base directory specification says.
  const base =
    process.env.SIDESTEP_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'sidestep');
  const folder = path.join(base, ...parts);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new SetupError(
      `The cache folder ${folder} cannot be made (${error.code}). Set SIDESTEP_CACHE to a folder that can be written.`,
    );
  }
  return folder;
};
