import { rm } from 'node:fs/promises';

const MOST_TRIES = 6;
const LONGER_EACH_TIME_MS = 100;

/**
 * Removes a folder that processes worked in. All of them must have ended before; what the kernel does for one of them at its very end, and
 * a process of somebody else, is waited for. Rejects when the folder cannot be removed; one that is not there is fine.
 */
export const removeFolder = (folder: string): Promise<void> =>
  // Unlike rmSync, this reads the folder again each time that it was not empty at last.
  rm(folder, { recursive: true, force: true, maxRetries: MOST_TRIES - 1, retryDelay: LONGER_EACH_TIME_MS });

/**
 * As `removeFolder`, at the end of a test or a demo: a folder that stays is named on stderr and fails nobody, since nothing that was to be
 * found out depends on it.
 */
export const removeScratch = async (folder: string): Promise<void> => {
  try {
    await removeFolder(folder);
  } catch (error) {
    process.stderr.write(`${folder} could not be removed: ${(error as Error).message}\n`);
  }
};
