import { rm } from 'node:fs/promises';

const MOST_TRIES = 6;
const LONGER_EACH_TIME_MS = 100;

/**
 * Removes a folder that processes worked in, at the end of a test or a demo. All of them must have ended before; a kernel that is not
 * quite done with one of them, or a process of somebody else, is waited for. A folder that stays all the same is named on stderr and
 * fails nobody, since nothing that was to be found out depends on it.
 */
export const removeScratch = async (folder: string): Promise<void> => {
  try {
    // Unlike rmSync, this reads the folder again each time that it was not empty at last.
    await rm(folder, { recursive: true, force: true, maxRetries: MOST_TRIES - 1, retryDelay: LONGER_EACH_TIME_MS });
  } catch (error) {
    process.stderr.write(`${folder} could not be removed: ${(error as Error).message}\n`);
  }
};
