import { writeFileSync } from 'node:fs';

/** The kubelet reads at most this much. */
const MAX_BYTES = 4096;

/** Leaves the reason where `kubectl describe pod` shows it. Outside a container there is no such file, which is no error. */
export function writeTerminationMessage(path: string, message: string): void {
  try {
    // No O_CREAT: the runtime makes the file, and only where there is one does anybody read it.
    writeFileSync(path, message.slice(0, MAX_BYTES), { flag: 'r+' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EROFS') throw error;
  }
}
