import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** The kubelet reads at most this much. */
const MAX_BYTES = 4096;
/** There is no such file outside of a container, or nobody may write to it: no error, the reason is in the log all the same. */
const USUAL = new Set(['ENOENT', 'EACCES', 'EROFS']);

/** Leaves the reason where `kubectl describe pod` shows it. Never throws: the reason itself must not get lost behind a full disk. */
export function writeTerminationMessage(path: string, message: string): void {
  try {
    // No O_CREAT: the runtime makes the file, and only where there is one does anybody read it.
    const fd = openSync(path, constants.O_RDWR | constants.O_TRUNC);
    try {
      writeSync(fd, Buffer.from(message).subarray(0, MAX_BYTES));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code, message: why } = error as NodeJS.ErrnoException;
    if (!USUAL.has(code ?? '')) process.stderr.write(`sidestep-agent: no termination message: ${why}\n`);
  }
}
