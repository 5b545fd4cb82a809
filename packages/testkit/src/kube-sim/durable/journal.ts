import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { onDisk } from './data-dir-error.js';
import { lineOf } from './records.js';

export interface JournalOptions {
  /** Everything there is right now, as records, when the journal is written anew. */
  everything(): Iterable<string>;
  /** Below so many bytes it is never written anew. */
  leastBytes: number;
  /** It could not be written: what is in memory is ahead of it, and nobody may be answered any more. */
  onFailure(error: Error): void;
}

/** So many times what it held when it was last written anew. */
const GROWTH = 4;
const CHUNK_BYTES = 1024 * 1024;

/**
 * A write-ahead journal: every commit is in the file before anybody hears of it. It is written but not forced to the disk, so it
 * outlives the process, however that ends, and not the machine.
 */
export class Journal {
  private descriptor: number;
  private bytes = 0;
  private rewriteAt = 0;
  private broken = false;

  constructor(
    private readonly file: string,
    private readonly options: JournalOptions,
  ) {
    this.descriptor = this.writtenAnew();
  }

  /** One commit, all of it or nothing. Throws when it could not be written, and at every call after that. */
  append(records: readonly string[]): void {
    if (this.broken) throw new Error('the journal could not be written');
    try {
      this.bytes += write(this.descriptor, lineOf(records));
      if (this.bytes > this.rewriteAt) this.rewrite();
    } catch (error) {
      this.broken = true;
      this.options.onFailure(error as Error);
      throw error;
    }
  }

  close(): void {
    this.broken = true;
    closeSync(this.descriptor);
  }

  private rewrite(): void {
    const old = this.descriptor;
    this.descriptor = this.writtenAnew();
    closeSync(old);
  }

  /** Beside the old one, which it then replaces in one step. */
  private writtenAnew(): number {
    const next = `${this.file}.new`;
    return onDisk(`cannot write ${next}`, () => {
      const descriptor = openSync(next, 'w', 0o600);
      this.bytes = writeAll(descriptor, this.options.everything());
      this.rewriteAt = Math.max(this.options.leastBytes, this.bytes * GROWTH);
      renameSync(next, this.file);
      return descriptor;
    });
  }
}

function writeAll(descriptor: number, records: Iterable<string>): number {
  let bytes = 0;
  let chunk = '';
  for (const record of records) {
    chunk += lineOf([record]);
    if (chunk.length < CHUNK_BYTES) continue;
    bytes += write(descriptor, chunk);
    chunk = '';
  }
  return bytes + write(descriptor, chunk);
}

function write(descriptor: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  return bytes.length;
}
