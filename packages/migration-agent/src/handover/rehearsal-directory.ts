import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../native/addon.js';
import { answersDatagrams, bindDatagramSocket } from '../native/datagram-socket.js';

/**
 * A folder in the private directory for one rehearsal. A socket beside it, bound before the folder is there and closed after it
 * is gone, answers for as long as its process lives: process ids say nothing, for the two containers do not see each other's.
 */
export class RehearsalDirectory {
  readonly path: string;
  readonly #owner: number;

  constructor(parent: string) {
    sweepRehearsals(parent);
    this.path = join(parent, `r.${randomBytes(3).toString('hex')}`);
    this.#owner = bindDatagramSocket(ownerOf(this.path));
    try {
      mkdirSync(this.path, { mode: 0o700 });
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** What cannot be removed now is left to the next sweep, which finds nobody who answers for it. */
  remove(): void {
    try {
      rmSync(this.path, { recursive: true, force: true });
    } catch {
      // A rehearsal is no reason not to start, and its folder none either.
    }
    addon().close(this.#owner);
    rmSync(ownerOf(this.path), { force: true });
  }
}

const ownerOf = (path: string): string => `${path}.owner`;

/** Removes what rehearsals left whose process was killed. Never throws: what stays is no reason not to start. */
export function sweepRehearsals(parent: string): void {
  try {
    const names = readdirSync(parent).map((file) => /^(r\.\w+)(\.owner)?$/.exec(file)?.[1]);
    for (const name of new Set(names)) {
      if (name === undefined || answersDatagrams(ownerOf(join(parent, name)))) continue;
      rmSync(join(parent, name), { recursive: true, force: true });
      rmSync(ownerOf(join(parent, name)), { force: true });
    }
  } catch {
    // The next start tries again.
  }
}
