import { type FSWatcher, watch } from 'node:fs';

/**
 * Tells of changes in a directory. Undefined when that cannot be had, and whoever asks has to look now and again: a node gives one user
 * 128 watches by default (`fs.inotify.max_user_instances`), which all of its containers share.
 */
export function watchDirectory(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(path, onChange).on('error', () => undefined);
  } catch {
    return undefined;
  }
}
