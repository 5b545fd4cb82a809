import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { onDisk } from './data-dir-error.js';
import { Journal, type JournalOptions } from './journal.js';
import { takeLock } from './lock.js';
import { readRecords, type SavedState } from './records.js';

const unlessMissing = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** What a server leaves for the next one on the same directory: its journal, and the port that its clients know. */
export class DataDir {
  /** Undefined when the directory is new. */
  readonly saved: SavedState | undefined;
  /** Of the server before. */
  readonly port: number | undefined;
  private readonly unlock: () => void;
  private readonly journalFile: string;
  private readonly portFile: string;
  private journal: Journal | undefined;

  /** Takes the directory for this process. Throws `DataDirError`. */
  constructor(folder: string) {
    this.journalFile = path.join(folder, 'journal');
    this.portFile = path.join(folder, 'port');
    this.unlock = onDisk(`cannot use the data directory ${folder}`, () => {
      // Secrets are in it.
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return takeLock(path.join(folder, 'lock'));
    });
    try {
      const bytes = onDisk(`cannot read ${this.journalFile}`, () =>
        unlessMissing(() => readFileSync(this.journalFile)),
      );
      this.saved = bytes && readRecords(bytes, this.journalFile);
      this.port = Number(unlessMissing(() => readFileSync(this.portFile, 'utf8'))) || undefined;
    } catch (error) {
      this.unlock();
      throw error;
    }
  }

  /** From now on every commit is kept. */
  keep(options: JournalOptions): Journal {
    this.journal = new Journal(this.journalFile, options);
    return this.journal;
  }

  keepPort(port: number): void {
    onDisk(`cannot write ${this.portFile}`, () => writeFileSync(this.portFile, String(port), { mode: 0o600 }));
  }

  close(): void {
    this.journal?.close();
    this.unlock();
  }
}
