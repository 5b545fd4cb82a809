import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPair, type ServingCertificate, type TlsSource } from './tls-source.js';

export interface FilesOptions {
  /** Holds tls.crt, tls.key and, when its authority is to be told to the callers, ca.crt. */
  dir: string;
  onError: (error: unknown) => void;
  /** The folder is read again this often even when nothing was heard of a change. Default one minute. */
  pollMs?: number;
}

/** A mounted Secret changes by several renames; what is read in between does not fit together. */
const SETTLE_MS = 100;

/**
 * A certificate that somebody else renews in a folder (cert-manager's Secret, mounted). A pair that does not fit together is
 * reported and the one before it stays in use.
 */
export class TlsFromFiles implements TlsSource {
  readonly #options: FilesOptions;
  readonly #listeners: ((certificate: ServingCertificate) => void)[] = [];
  #served: ServingCertificate | undefined;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** Rejects when there is no usable pair: without one the process cannot serve, and waiting would hide that. */
  async start(): Promise<ServingCertificate> {
    this.#served = await this.#read();
    this.#poll = setInterval(() => void this.#look(), this.#options.pollMs ?? 60_000);
    try {
      this.#watcher = watch(this.#options.dir, () => this.#heard());
      this.#watcher.on('error', this.#options.onError);
    } catch (error) {
      this.#options.onError(error);
    }
    return this.#served;
  }

  onChange(listener: (certificate: ServingCertificate) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
  }

  #heard(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#look(), SETTLE_MS);
  }

  async #look(): Promise<void> {
    try {
      const read = await this.#read();
      if (read.cert === this.#served?.cert && read.caBundle === this.#served.caBundle) return;
      this.#served = read;
      for (const listener of this.#listeners) listener(read);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #read(): Promise<ServingCertificate> {
    const { dir } = this.#options;
    const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(join(dir, name), 'utf8')));
    const ca = await readFile(join(dir, 'ca.crt'), 'utf8').catch(() => undefined);
    return readPair(cert as string, key as string, ca);
  }
}
