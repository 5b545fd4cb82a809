import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.js';
import { AF_UNIX, addon, orThrow, SOCK_SEQPACKET } from '../native/addon.js';
import { ownDirectory } from '../status/own-directory.js';
import { sweepRehearsals } from './rehearsal-directory.js';

const SECRET_BYTES = 32;

/**
 * The directory that only the two sidecar containers share (a memory emptyDir): it holds the take-over socket and the secret.
 *
 * @throws AgentError `UNSAFE_DIRECTORY` when others than its owner could write there.
 */
export class PrivateDirectory {
  readonly path: string;
  readonly secret: Uint8Array;

  constructor(path: string) {
    this.path = ownDirectory(path);
    sweepRehearsals(this.path);
    this.secret = readOrCreateSecret(this.path);
  }

  get takeoverPath(): string {
    return join(this.path, 'takeover.sock');
  }
}

/** link() fails when the name is taken, so of two processes that start at once both end with the same secret. */
function readOrCreateSecret(directory: string): Uint8Array {
  const path = join(directory, 'secret');
  const unfinished = join(directory, `secret.${randomBytes(6).toString('hex')}`);
  writeFileSync(unfinished, randomBytes(SECRET_BYTES), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(unfinished);
  }
  const facts = lstatSync(path);
  const secret = readFileSync(path);
  const safe = facts.isFile() && (facts.mode & 0o077) === 0 && facts.uid === (process.getuid?.() ?? 0);
  if (!safe || secret.length !== SECRET_BYTES) {
    throw new AgentError('UNSAFE_DIRECTORY', `${path} is not a secret of this user alone`, {
      hint: 'It must be a file of 32 bytes, mode 0600, owned by the user both sidecar containers run as. Remove it to get a new one.',
    });
  }
  return secret;
}

/**
 * A SEQPACKET socket behind a well-known name. Bound under a name of its own and renamed over the known one, so that the name is
 * never missing and never somebody else's; removed only while it is still this very file.
 */
export class NamedSocket {
  readonly fd: number;
  readonly #bound: string;
  readonly #path: string;
  #inode: number | undefined;

  constructor(path: string, backlog = 64) {
    this.#path = path;
    this.#bound = `${path.replace(/\.sock$/, '')}.${randomBytes(6).toString('hex')}.sock`;
    this.fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_SEQPACKET));
    orThrow('bind', addon().bindUnix(this.fd, this.#bound), this.#bound);
    chmodSync(this.#bound, 0o600);
    orThrow('listen', addon().listen(this.fd, backlog));
  }

  /** Takes the well-known name over from whoever had it. */
  claim(): void {
    this.#inode = lstatSync(this.#bound).ino;
    renameSync(this.#bound, this.#path);
  }

  /** Stops listening; the name goes only if it is still ours. */
  close(): void {
    addon().close(this.fd);
    const mine = this.#inode === undefined ? this.#bound : this.#path;
    const found = lstatSync(mine, { throwIfNoEntry: false });
    if (found && (this.#inode === undefined || found.ino === this.#inode)) unlinkSync(mine);
  }
}
