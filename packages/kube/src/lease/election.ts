import type { KubeApi, KubeObject, ResourceKind } from '../api.js';
import { type Clock, delay, type Random, systemClock } from '../clock.js';
import { isAlreadyExists, isConflict, isNotFound } from '../error.js';
import { decideLease, type LeaseDecision, type LeaseSpec, releasedLease } from './decision.js';

export const LEASE: ResourceKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};

export interface LeaseElectionOptions {
  api: KubeApi;
  namespace: string;
  name: string;
  /** Must be another one for every process and every start of it: the epoch rises only when the holder changes. */
  identity: string;
  /** Called once, when the lease is held. `epoch` is larger than that of every holder before. */
  onAcquired: (epoch: number) => void;
  /** Called once, when a held lease can no longer be relied on. The caller must stop acting, best by ending its process. */
  onLost: (reason: string) => void;
  /** Called when another holder is seen for the first time. */
  onLeader?: (identity: string) => void;
  onError?: (error: unknown) => void;
  /** Others may take the lease after this long without renewal. Default 15 s. */
  leaseDurationMs?: number;
  /** The holder gives up after this long without a successful renewal; must be shorter. Default 10 s. */
  renewDeadlineMs?: number;
  /** Between two looks. Default 2 s. */
  retryPeriodMs?: number;
  clock?: Clock;
  random?: Random;
}

interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

/** Holds a Lease as long as it can: at most one holder acts at a time, as long as clocks run at about the same speed. */
export class LeaseElection {
  readonly #options: Required<Pick<LeaseElectionOptions, 'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'>> &
    LeaseElectionOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  /** What is known of the lease may be out of date: read before the next decision. */
  #stale = true;
  #seenAt = new Date(0);
  #leader = '';
  #state: 'standby' | 'leading' | 'lost' = 'standby';
  #cancelDeadline: () => void = () => undefined;
  #loop: Promise<void> | undefined;

  constructor(options: LeaseElectionOptions) {
    this.#options = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000, ...options };
    if (this.#options.renewDeadlineMs >= this.#options.leaseDurationMs) {
      throw new RangeError('renewDeadlineMs must be shorter than leaseDurationMs, or two holders could act at once');
    }
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  get isLeader(): boolean {
    return this.#state === 'leading';
  }

  /** The holder last seen, '' when unknown. */
  get leader(): string {
    return this.#leader;
  }

  /** Begins to stand for election; calling it again does nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Stops and, when holding the lease, gives it back. Never rejects; `onLost` is not called. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelDeadline();
    const { retryPeriodMs, identity, onError } = this.#options;
    // A call that hangs must not hold up the end of the process; the lease then simply runs out.
    const patience = new AbortController();
    await Promise.race([this.#loop, delay(this.#clock, 2 * retryPeriodMs, patience.signal)]);
    patience.abort();
    const spec = this.#lease?.spec;
    if (this.#state === 'lost' || spec?.holderIdentity !== identity) return;
    this.#state = 'lost';
    try {
      await this.#replace(releasedLease(spec, this.#clock.now()));
    } catch (error) {
      onError?.(error);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#state !== 'lost') {
      await this.#round();
      // Waiting candidates look at different moments, so that they do not all write at once when the lease runs out.
      const jitter = this.#state === 'leading' ? 0 : 0.2 * this.#random();
      await delay(this.#clock, this.#options.retryPeriodMs * (1 + jitter), this.#stop.signal);
    }
  }

  async #round(): Promise<void> {
    try {
      if (this.#stale) await this.#read();
      const startedAt = this.#clock.now();
      const decision = this.#decide();
      if (decision.action === 'wait') this.#standBehind(decision.holder);
      else if (this.#state === 'leading' && decision.action !== 'renew') this.#lose('the lease was taken away');
      else this.#held(await this.#write(decision), startedAt);
    } catch (error) {
      this.#stale = true;
      // Somebody else was faster: the next look tells who.
      if (!isConflict(error) && !isAlreadyExists(error)) this.#options.onError?.(error);
    }
  }

  #decide(): LeaseDecision {
    const { identity, leaseDurationMs } = this.#options;
    return decideLease({
      spec: this.#lease?.spec,
      seenAt: this.#seenAt,
      identity,
      leaseDurationMs,
      now: this.#clock.now(),
    });
  }

  async #read(): Promise<void> {
    const { api, namespace, name } = this.#options;
    const lease = await api.get<Lease>(LEASE, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (lease?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) this.#seenAt = this.#clock.now();
    this.#lease = lease;
  }

  #write(decision: LeaseDecision & { spec: LeaseSpec }): Promise<Lease> {
    const { api, namespace, name } = this.#options;
    if (decision.action !== 'create') return this.#replace(decision.spec);
    const { group, version, kind } = LEASE;
    return api.create<Lease>(LEASE, {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { namespace, name },
      spec: decision.spec,
    });
  }

  #replace(spec: LeaseSpec): Promise<Lease> {
    return this.#options.api.replace<Lease>(LEASE, { ...(this.#lease as Lease), spec });
  }

  #held(lease: Lease, startedAt: Date): void {
    this.#lease = lease;
    this.#stale = false;
    this.#seenAt = startedAt;
    if (this.#state === 'lost' || this.#stop.signal.aborted) return;
    this.#armDeadline(startedAt);
    if (this.#state === 'leading') return;
    this.#state = 'leading';
    this.#leader = this.#options.identity;
    this.#options.onAcquired(lease.spec?.leaseTransitions ?? 0);
  }

  #standBehind(holder: string): void {
    if (this.#state === 'leading') {
      this.#lose(`the lease is held by ${holder}`);
      return;
    }
    if (this.#leader === holder) return;
    this.#leader = holder;
    this.#options.onLeader?.(holder);
  }

  /** A timer of its own, counted from before the renewal was sent: the deadline holds although a call hangs. */
  #armDeadline(renewedAt: Date): void {
    this.#cancelDeadline();
    const { renewDeadlineMs } = this.#options;
    const left = renewedAt.getTime() + renewDeadlineMs - this.#clock.now().getTime();
    this.#cancelDeadline = this.#clock.after(Math.max(0, left), () =>
      this.#lose(`the lease could not be renewed for ${Math.round(renewDeadlineMs)} ms`),
    );
  }

  #lose(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#state = 'lost';
    this.#cancelDeadline();
    this.#stop.abort();
    this.#options.onLost(reason);
  }
}
