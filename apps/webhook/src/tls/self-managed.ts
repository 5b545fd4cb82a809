import {
  type Clock,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeApi,
  type KubeObject,
  Reflector,
  systemClock,
} from '@sidestep/kube';
import { SECRET } from '../cluster/kinds.js';
import { bundleOf, decideAuthority, LIFETIMES, leafIsDue, nextLook, signerOf } from './authority-decision.js';
import { type AuthorityRecord, readRecord, recordData } from './authority-record.js';
import { createAuthority, createLeaf, type KeyPair } from './certificates.js';
import { readPair, type ServingCertificate, type TlsSource } from './tls-source.js';

export interface SelfManagedOptions {
  api: KubeApi;
  namespace: string;
  /** Name of the Secret that holds the certificate authority. */
  secretName: string;
  /** Host names and addresses by which API servers call. */
  hosts: readonly string[];
  onError: (error: unknown) => void;
  clock?: Clock;
}

/** Pause after a failed look. */
const RETRY_MS = 2_000;

/**
 * A certificate authority in a Secret, and a leaf of its own in every replica. Replicas agree by optimistic writes: whoever
 * writes first is right, the others take what they find. Leaves never leave the process.
 */
export class SelfManagedTls implements TlsSource {
  readonly #options: SelfManagedOptions;
  readonly #clock: Clock;
  readonly #listeners: ((certificate: ServingCertificate) => void)[] = [];
  readonly #secret: Reflector<KubeObject>;
  #leaf: (KeyPair & { signer: string }) | undefined;
  #served: ServingCertificate | undefined;
  #first: ((certificate: ServingCertificate) => void) | undefined;
  #cancelTimer: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SelfManagedOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { api, namespace, secretName } = options;
    this.#secret = new Reflector({ api, kind: SECRET, namespace, fieldSelector: `metadata.name=${secretName}` });
    this.#secret.store.subscribe(() => this.#look());
  }

  start(): Promise<ServingCertificate> {
    const first = new Promise<ServingCertificate>((resolve) => {
      this.#first = resolve;
    });
    this.#secret.start();
    this.#look();
    return first;
  }

  onChange(listener: (certificate: ServingCertificate) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#secret.stop();
    await this.#looking;
  }

  /** One look after the other: a change of the Secret during a look leads to another one. */
  #look(): void {
    this.#cancelTimer();
    this.#looking = this.#looking.then(async () => {
      if (this.#stopped) return;
      try {
        const record = await this.#agreed();
        await this.#serve(record);
        this.#lookAgain(
          nextLook(record, this.#leaf as KeyPair, this.#clock.now()).getTime() - this.#clock.now().getTime(),
        );
      } catch (error) {
        // Another replica was faster: its record is there at the next look.
        if (isConflict(error) || isAlreadyExists(error)) this.#lookAgain(0);
        else {
          this.#options.onError(error);
          this.#lookAgain(RETRY_MS);
        }
      }
    });
  }

  #lookAgain(ms: number): void {
    this.#cancelTimer();
    if (!this.#stopped) this.#cancelTimer = this.#clock.after(ms, () => this.#look());
  }

  /** The record that every replica has, made or renewed if need be. */
  async #agreed(): Promise<AuthorityRecord> {
    const { api, namespace, secretName } = this.#options;
    const secret = await api.get(SECRET, { namespace, name: secretName }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const record = readRecord(secret);
    const now = this.#clock.now();
    const decision = decideAuthority(record, now);
    if (decision.action === 'keep') return record as AuthorityRecord;
    const current = await createAuthority(now, LIFETIMES.authorityMs);
    const renewed: AuthorityRecord =
      decision.action === 'create'
        ? { current, signsFrom: now, previous: undefined }
        : { current, signsFrom: decision.signsFrom, previous: decision.previous };
    await this.#write(secret, renewed);
    return renewed;
  }

  async #write(secret: KubeObject | undefined, record: AuthorityRecord): Promise<void> {
    const { api, namespace, secretName } = this.#options;
    const data = recordData(record);
    if (secret) {
      await api.replace(SECRET, { ...secret, data });
      return;
    }
    const labels = { 'app.kubernetes.io/part-of': 'sidestep' };
    await api.create(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { namespace, name: secretName, labels },
      data,
    });
  }

  async #serve(record: AuthorityRecord): Promise<void> {
    const now = this.#clock.now();
    const signer = signerOf(record, now);
    if (leafIsDue(this.#leaf, signer, now)) {
      this.#leaf = { ...(await createLeaf(signer, this.#options.hosts, now, LIFETIMES.leafMs)), signer: signer.cert };
    }
    const { cert, key } = this.#leaf as KeyPair;
    const caBundle = bundleOf(record, now);
    if (this.#served?.cert === cert && this.#served.caBundle === caBundle) return;
    this.#served = readPair(cert, key, caBundle);
    this.#first?.(this.#served);
    if (this.#first) this.#first = undefined;
    else for (const listener of this.#listeners) listener(this.#served);
  }
}
