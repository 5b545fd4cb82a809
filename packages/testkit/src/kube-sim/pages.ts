import { randomUUID } from 'node:crypto';
import { badRequest, expired } from './api-error.js';
import type { Entry } from './entry.js';

/** One page of a list, all pages of which show the same moment. */
export interface Page {
  entries: Entry[];
  resourceVersion: number;
  continueToken: string | undefined;
  remaining: number;
}

interface Snapshot {
  entries: readonly Entry[];
  resourceVersion: number;
}

const KEPT_SNAPSHOTS = 64;

/** Cuts lists into pages. Entries never change, so a snapshot is only an array of references. */
export class Pages {
  private readonly snapshots = new Map<string, Snapshot>();

  first(entries: readonly Entry[], resourceVersion: number, limit: number): Page {
    if (limit <= 0 || entries.length <= limit)
      return { entries: [...entries], resourceVersion, continueToken: undefined, remaining: 0 };
    // Of no other list, nor of one of a server before this one.
    const id = randomUUID();
    this.snapshots.set(id, { entries, resourceVersion });
    const oldest = this.snapshots.keys().next().value;
    if (this.snapshots.size > KEPT_SNAPSHOTS && oldest !== undefined) this.snapshots.delete(oldest);
    return this.cut(id, { entries, resourceVersion }, 0, limit);
  }

  next(token: string, limit: number): Page {
    const { id, offset } = decode(token);
    const snapshot = this.snapshots.get(id);
    if (!snapshot) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
      );
    }
    return this.cut(id, snapshot, offset, limit > 0 ? limit : snapshot.entries.length);
  }

  /** As a compaction does: no list can be continued. */
  forget(): void {
    this.snapshots.clear();
  }

  private cut(id: string, { entries, resourceVersion }: Snapshot, offset: number, limit: number): Page {
    const end = offset + limit;
    const remaining = Math.max(0, entries.length - end);
    const continueToken =
      remaining > 0 ? Buffer.from(JSON.stringify({ id, offset: end })).toString('base64url') : undefined;
    return { entries: entries.slice(offset, end), resourceVersion, continueToken, remaining };
  }
}

function decode(token: string): { id: string; offset: number } {
  try {
    const { id, offset } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { id: unknown; offset: unknown };
    if (typeof id === 'string' && typeof offset === 'number') return { id, offset };
  } catch {
    // Said below, with the same words as for a token of the wrong shape.
  }
  throw badRequest('continue key is not valid');
}
