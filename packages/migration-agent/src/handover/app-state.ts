import { fstatSync, readSync } from 'node:fs';
import { addon, orThrow } from '../native/addon.js';
import { MAX_STATE_BYTES } from '../protocol/limits.js';

/** A sealed memfd with the bytes. The caller closes it after sending. @throws RangeError beyond 64 MiB, TypeError. */
export function stateDescriptor(bytes: Uint8Array): number {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('app state must be a Uint8Array');
  if (bytes.length > MAX_STATE_BYTES)
    throw new RangeError(`app state of ${bytes.length} bytes is more than ${MAX_STATE_BYTES}`);
  return orThrow('memfd_create', addon().memfd('sidestep-state', bytes));
}

/**
 * Reads what `stateDescriptor` wrote, with positions: both sides share one file offset. Undefined when the descriptor is not the
 * regular file of the announced size.
 */
export function readState(fd: number, bytes: number): Uint8Array | undefined {
  const facts = fstatSync(fd);
  if (!facts.isFile() || facts.size !== bytes || bytes > MAX_STATE_BYTES) return undefined;
  const out = new Uint8Array(bytes);
  let done = 0;
  while (done < bytes) {
    const got = readSync(fd, out, done, bytes - done, done);
    if (got === 0) return undefined;
    done += got;
  }
  return out;
}
