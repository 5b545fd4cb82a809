import { H2Pool } from './h2-pool.js';
import type { ConnectionListener } from './http1-connection.js';
import { kindOfStatus } from './loss-kind.js';
import { type LoadRequest, uniqueBody } from './request.js';
import { Tally } from './tally.js';
import { TargetPool } from './target-pool.js';
import type { ConnectionKind, LoadOptions, LoadReport, LoadSample, LossKind } from './types.js';

const TICK_MS = 1;
const SWEEP_MS = 10;

const DEFAULTS = {
  keepalive: 8,
  shortShare: 0.3,
  h2Share: 0,
  h2Sessions: 2,
  postShare: 0.5,
  postBytes: 256,
  timeoutMs: 5_000,
  rampMs: 0,
  standstillMs: 5_000,
  mostInFlight: Number.POSITIVE_INFINITY,
};

interface Target {
  name: string;
  http1: TargetPool;
  h2: H2Pool;
  wanted: boolean;
  turn: number;
  inFlight: number;
}

/**
 * Steady traffic at a fixed rate, in turn to every target, that never waits for a slow answer before it sends the next request.
 * Nothing is sent a second time (but HTTP/2 streams that the server promises not to have looked at), so every failure is one
 * lost request.
 */
export class LoadGenerator {
  readonly #options: LoadOptions & typeof DEFAULTS;
  readonly #tally = new Tally(performance.now());
  readonly #targets = new Map<string, Target>();
  readonly #inFlight = new Set<LoadRequest>();
  #rate: number;
  #rampMs = 0;
  #rateSince = { ms: performance.now(), sent: 0 };
  #sent = 0;
  #turn: Target[] = [];
  #timer: NodeJS.Timeout | undefined;
  #nextSweepMs = 0;
  /** When the last two ticks began: between them, or since, what had come was looked at. */
  #looks: readonly [number, number] = [performance.now(), performance.now()];
  /** Of the machine, since the start. */
  #stoodStillMs = 0;
  #report: Promise<LoadReport> | undefined;

  constructor(options: LoadOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#rate = options.rate;
    for (const target of options.targets) this.add(target);
  }

  start(): this {
    this.setRate(this.#rate);
    this.#rampMs = this.#options.rampMs;
    this.#timer = setTimeout(() => this.#tick(), TICK_MS);
    return this;
  }

  add(name: string): void {
    if (this.#targets.get(name)?.wanted) return;
    const { keepalive, h2Sessions } = this.#options;
    const listener = this.#listener();
    const inFlight = this.#targets.get(name)?.inFlight ?? 0;
    const http1 = new TargetPool(keepalive, listener);
    const h2 = new H2Pool(name, h2Sessions, listener);
    this.#targets.set(name, { name, http1, h2, wanted: true, turn: 0, inFlight });
    this.#tally.begin(name, performance.now());
    this.#turn = this.#wanted();
  }

  /** No new requests to it; resolves when those in flight have ended one way or the other. */
  async remove(name: string): Promise<void> {
    const target = this.#targets.get(name);
    if (!target?.wanted) return;
    target.wanted = false;
    target.http1.retire();
    target.h2.retire();
    this.#tally.end(name, performance.now());
    this.#turn = this.#wanted();
    const isOpen = (): boolean => [...this.#inFlight].some((request) => request.target === name);
    while (!target.wanted && isOpen()) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }

  setRate(rate: number): void {
    this.#rate = rate;
    this.#rateSince = { ms: performance.now(), sent: this.#sent };
    this.#rampMs = 0;
  }

  /** A process behind that target was killed at that time (Unix milliseconds): what was in flight in it is counted apart. */
  markKilled(target: string, atMs: number): void {
    this.#tally.killed({ target, atMs }, this.#inFlight);
  }

  /** The report also says latencies and the longest gap from here on, apart from what was before. */
  mark(): void {
    this.#tally.mark(
      this.#turn.map(({ name }) => name),
      performance.now(),
    );
  }

  sample(): LoadSample {
    return this.#tally.sample(this.#inFlight.size, performance.now());
  }

  /** Sends nothing more, waits until every request has ended one way or the other, and reports. */
  stop(): Promise<LoadReport> {
    this.#report ??= this.#stop();
    return this.#report;
  }

  async #stop(): Promise<LoadReport> {
    const targets = [...this.#targets.values()];
    const stoppedMs = performance.now();
    for (const { name, wanted } of targets) if (wanted) this.#tally.end(name, stoppedMs);
    this.#turn = [];
    while (this.#inFlight.size > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    clearTimeout(this.#timer);
    const report = this.#tally.report(
      targets.map(({ name }) => name),
      stoppedMs,
    );
    for (const { http1, h2 } of targets) {
      http1.close();
      h2.close();
    }
    return report;
  }

  #wanted(): Target[] {
    return [...this.#targets.values()].filter(({ wanted }) => wanted);
  }

  #listener() {
    const { connections } = this.#tally;
    const listener: Omit<ConnectionListener, 'idle'> = {
      answered: (request, { status, body, version }) => this.#answered(request, status, body, version),
      failed: (request, kind, detail) => this.#lost(request, kind, detail),
      ended: (_, how) => {
        if (how === 'by-server') connections.endedByAnswer += 1;
        if (how === 'idle') connections.endedIdle += 1;
        if (how === 'by-server' || how === 'idle') this.#tally.reconnects += 1;
      },
    };
    const opened = () => {
      connections.opened += 1;
    };
    const retried = () => {
      this.#tally.retriedStreams += 1;
    };
    return { ...listener, opened, retried };
  }

  /** Sends what is due by now; a late timer sends more, each request still counted from when it was due. */
  #tick(): void {
    const now = performance.now();
    this.#looks = [this.#looks[1], now];
    this.#notice(now - this.#looks[0]);
    // Nobody to send to: the schedule, with its ramp, begins when there is.
    if (this.#turn.length === 0) this.#rateSince = { ms: now, sent: this.#sent };
    if (this.#dueMs() <= now) this.#tally.behindMs = Math.max(this.#tally.behindMs, now - this.#dueMs());
    for (let dueMs = this.#dueMs(); dueMs <= now && this.#turn.length > 0; dueMs = this.#dueMs()) this.#send(dueMs);
    if (now >= this.#nextSweepMs) this.#sweep(now);
    this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  /** A machine that stood still let nobody answer: that time is taken out of the schedule and of what a request may take. */
  #notice(sinceLastTickMs: number): void {
    if (sinceLastTickMs < this.#options.standstillMs) return;
    this.#stoodStillMs += sinceLastTickMs;
    this.#rateSince.ms += sinceLastTickMs;
  }

  /** When the next request is due; while the rate rises evenly to its full height, half of the full number are sent. */
  #dueMs(): number {
    const atFullRate = ((this.#sent + 1 - this.#rateSince.sent) * 1000) / this.#rate;
    const inRamp = atFullRate < this.#rampMs / 2;
    return this.#rateSince.ms + (inRamp ? Math.sqrt(2 * this.#rampMs * atFullRate) : atFullRate + this.#rampMs / 2);
  }

  #send(dueMs: number): void {
    const target = this.#turn[this.#sent++ % this.#turn.length]!;
    if (target.inFlight >= this.#options.mostInFlight) {
      this.#tally.heldBack += 1;
      return;
    }
    target.inFlight += 1;
    this.#tally.peakInFlight = Math.max(this.#tally.peakInFlight, target.inFlight);
    const method = hasTurn(target.turn, this.#options.postShare) ? 'POST' : 'GET';
    const request: LoadRequest = {
      target: target.name,
      method,
      connection: this.#connectionKind(target.turn++),
      path: method === 'POST' ? '/echo' : '/',
      body: method === 'POST' ? uniqueBody(this.#sent, this.#options.postBytes) : '',
      dueMs,
      reused: false,
      retries: 0,
      runningSinceMs: dueMs - this.#stoodStillMs,
    };
    this.#inFlight.add(request);
    this.#tally.due(request);
    if (request.connection === 'h2') target.h2.submit(request);
    else this.#tally.connections.opened += target.http1.submit(request);
  }

  /** A multiplier without a common factor spreads the kinds over GETs and POSTs alike. */
  #connectionKind(turn: number): ConnectionKind {
    const place = ((turn * 7) % 100) / 100;
    const { shortShare, h2Share } = this.#options;
    if (place < shortShare) return 'short';
    return place < shortShare + h2Share ? 'h2' : 'keepalive';
  }

  #answered(request: LoadRequest, status: number, body: Buffer, version: string | undefined): void {
    const lossKind = kindOfStatus(status);
    if (lossKind) this.#lost(request, lossKind, `status ${status}: ${body.toString('latin1', 0, 120)}`);
    else if (request.method === 'POST' && body.toString('latin1') !== request.body) {
      this.#lost(request, 'bad-body', `${body.length} bytes, sent were ${request.body.length}`);
    } else if (this.#end(request)) this.#tally.served(request, version, performance.now());
  }

  #end(request: LoadRequest): boolean {
    if (!this.#inFlight.delete(request)) return false;
    this.#targets.get(request.target)!.inFlight -= 1;
    return true;
  }

  #lost(request: LoadRequest, kind: LossKind, detail: string): void {
    if (!this.#end(request)) return;
    const loss = this.#tally.lost(request, kind, detail, performance.now(), this.#looks[0]);
    this.#options.onLoss?.(loss);
  }

  /** Requests are in the order in which they were due, so the look ends at the first that is young. */
  #sweep(now: number): void {
    this.#nextSweepMs = now + SWEEP_MS;
    for (const { http1 } of this.#targets.values()) this.#tally.connections.opened += http1.relieve(now);
    for (const request of this.#inFlight) {
      if (now - this.#stoodStillMs - request.runningSinceMs < this.#options.timeoutMs) break;
      const target = this.#targets.get(request.target);
      const pool = request.connection === 'h2' ? target?.h2 : target?.http1;
      if (!pool?.giveUp(request)) this.#lost(request, 'timeout', 'never sent');
    }
  }
}

/** Whether this turn is one of the given share of turns, evenly spread. */
const hasTurn = (turn: number, share: number): boolean => Math.floor((turn + 1) * share) > Math.floor(turn * share);
