import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { StatusBoard } from './board.js';

/** Sends the status to whoever connects, and again after every change. It never keeps the process alive by itself. */
export class StatusServer {
  readonly #server: Server;
  readonly #readers = new Set<Socket>();
  readonly #path: string;
  readonly #forget: () => void;
  #inode: number | undefined;

  constructor(path: string, board: StatusBoard) {
    this.#path = path;
    this.#server = createServer((reader) => {
      this.#readers.add(reader);
      reader.unref();
      reader.on('error', () => reader.destroy());
      reader.on('close', () => this.#readers.delete(reader));
      reader.resume();
      reader.write(`${JSON.stringify(board.snapshot())}\n`);
    });
    this.#forget = board.onChange((status) => {
      for (const reader of this.#readers) reader.write(`${JSON.stringify(status)}\n`);
    });
  }

  /** Resolves when the socket answers. Bound under another name first: the known name never leads nowhere. */
  async start(): Promise<void> {
    const unfinished = `${this.#path}.${randomBytes(4).toString('hex')}`;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(unfinished, () => resolve());
    });
    this.#server.unref();
    chmodSync(unfinished, 0o600);
    this.#inode = lstatSync(unfinished).ino;
    renameSync(unfinished, this.#path);
  }

  close(): void {
    this.#forget();
    this.#server.close();
    for (const reader of this.#readers) reader.end();
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (found && found.ino === this.#inode) unlinkSync(this.#path);
  }
}
