import { Gaps } from './gaps.js';
import { Histogram } from './histogram.js';
import { type Kill, wasKilledInFlight } from './killed-in-flight.js';
import type { LoadRequest } from './request.js';
import type { LoadReport, LoadSample, Loss, LossKind } from './types.js';

/** Losses kept one by one; beyond it only the counts go on. */
const LOSSES_KEPT = 10_000;

/** Keeps the books of one run. All times that come in are of `performance.now`; those that go out are since 1970. */
export class Tally {
  readonly connections = { opened: 0, endedByAnswer: 0, endedIdle: 0 };
  reconnects = 0;
  retriedStreams = 0;
  behindMs = 0;
  heldBack = 0;
  peakInFlight = 0;
  readonly #startMs: number;
  /** Of the whole run, and since the last mark. */
  readonly #whole: Book;
  #marked: Book;
  #recentLatency = new Histogram();
  readonly #byKind = { get: 0, post: 0, short: 0, keepalive: 0, h2: 0 };
  readonly #servedBy = new Map<string, number>();
  readonly #lostBy = new Map<string, number>();
  readonly #versions = new Map<string, number>();
  readonly #lostByKind: Partial<Record<LossKind, number>> = {};
  readonly #losses: Loss[] = [];
  readonly #kills: Kill[] = [];
  #requests = 0;
  #served = 0;
  #lost = 0;
  #inFlightAtKills = 0;
  #lastSample: { atMs: number; served: number };

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#whole = { latency: new Histogram(), gaps: new Gaps(startMs) };
    this.#marked = { latency: new Histogram(), gaps: new Gaps(startMs) };
    this.#lastSample = { atMs: startMs, served: 0 };
  }

  /** From now on the target is expected to serve. */
  begin(target: string, nowMs: number): void {
    for (const { gaps } of this.#books()) gaps.begin(target, nowMs);
  }

  /** From now on it is not; its longest gap stays. */
  end(target: string, nowMs: number): void {
    for (const { gaps } of this.#books()) gaps.end(target, nowMs);
  }

  /** Latencies and gaps are also counted from here on, apart: what happened before (a cold start) is none of theirs. */
  mark(targets: Iterable<string>, nowMs: number): void {
    this.#marked = { latency: new Histogram(), gaps: new Gaps(nowMs) };
    for (const target of targets) this.#marked.gaps.begin(target, nowMs);
  }

  due(request: LoadRequest): void {
    this.#requests += 1;
    this.#byKind[request.method === 'POST' ? 'post' : 'get'] += 1;
    this.#byKind[request.connection] += 1;
    for (const { gaps } of this.#books()) gaps.due(request.target, request.dueMs);
  }

  served(request: LoadRequest, version: string | undefined, nowMs: number): void {
    const ms = nowMs - request.dueMs;
    this.#recentLatency.record(ms);
    for (const { latency, gaps } of this.#books()) {
      latency.record(ms);
      gaps.served(request.target, request.dueMs, nowMs);
    }
    this.#served += 1;
    count(this.#servedBy, request.target);
    if (version !== undefined) count(this.#versions, version);
  }

  lost(request: LoadRequest, kind: LossKind, detail: string, nowMs: number, lookedMs: number): Loss {
    const loss: Loss = {
      kind,
      target: request.target,
      method: request.method,
      connection: request.connection,
      dueAtMs: sinceEpoch(request.dueMs),
      ...(request.sentMs === undefined ? {} : { sentAtMs: sinceEpoch(request.sentMs) }),
      ...(request.openedMs === undefined ? {} : { openedAtMs: sinceEpoch(request.openedMs) }),
      atMs: sinceEpoch(nowMs),
      lookedAtMs: sinceEpoch(lookedMs),
      reused: request.reused,
      detail,
    };
    this.#lost += 1;
    for (const { gaps } of this.#books()) gaps.lost(request.target);
    this.#lostByKind[kind] = (this.#lostByKind[kind] ?? 0) + 1;
    count(this.#lostBy, request.target);
    if (this.#losses.length < LOSSES_KEPT) this.#losses.push(loss);
    return loss;
  }

  killed(kill: Kill, inFlight: Iterable<LoadRequest>): void {
    this.#kills.push(kill);
    // Told after the fact: what is on a connection from before the kill and was lost since, or is still waited for.
    const open = [...inFlight].filter(
      ({ target, openedMs }) => target === kill.target && openedMs !== undefined && sinceEpoch(openedMs) <= kill.atMs,
    );
    const lost = this.#losses.filter((loss) => wasKilledInFlight(loss, [kill]));
    this.#inFlightAtKills += open.length + lost.length;
  }

  sample(inFlight: number, nowMs: number): LoadSample {
    const seconds = (nowMs - this.#lastSample.atMs) / 1000;
    const rps = seconds > 0 ? Math.round((this.#served - this.#lastSample.served) / seconds) : 0;
    const recentP99Ms = this.#recentLatency.quantile(0.99);
    this.#lastSample = { atMs: nowMs, served: this.#served };
    this.#recentLatency = new Histogram();
    return {
      type: 'sample',
      rps,
      requests: this.#requests,
      served: this.#served,
      inFlight,
      lost: this.#lost,
      killedInFlight: this.#killedInFlight(),
      p50Ms: this.#whole.latency.quantile(0.5),
      p99Ms: this.#whole.latency.quantile(0.99),
      recentP99Ms,
      maxMs: this.#whole.latency.max,
      maxGapMs: this.#marked.gaps.worst(nowMs),
    };
  }

  report(targets: readonly string[], nowMs: number): LoadReport {
    const { latency, gaps } = this.#whole;
    const perTarget = <T>(of: (target: string) => T) =>
      Object.fromEntries(targets.map((target) => [target, of(target)]));
    return {
      type: 'report',
      requests: this.#requests,
      served: this.#served,
      lost: this.#lost,
      lostByKind: this.#lostByKind,
      losses: this.#losses.map((loss) => (this.#wasKilled(loss) ? { ...loss, inKilledProcess: true } : loss)),
      killedInFlight: this.#killedInFlight(),
      inFlightAtKills: this.#inFlightAtKills,
      versions: Object.fromEntries(this.#versions),
      byKind: this.#byKind,
      latencyMs: latenciesOf(latency),
      maxGapMs: gaps.worst(nowMs),
      overallGapMs: gaps.overall(nowMs),
      gaps: perTarget((target) => gaps.of(target, nowMs)),
      sinceMark: { latencyMs: latenciesOf(this.#marked.latency), maxGapMs: this.#marked.gaps.worst(nowMs) },
      byTarget: perTarget((target) => ({
        served: this.#servedBy.get(target) ?? 0,
        lost: this.#lostBy.get(target) ?? 0,
      })),
      reconnects: this.reconnects,
      connections: { ...this.connections },
      retriedStreams: this.retriedStreams,
      heldBack: this.heldBack,
      peakInFlight: this.peakInFlight,
      behindMs: this.behindMs,
      durationMs: nowMs - this.#startMs,
    };
  }

  #books(): readonly [Book, Book] {
    return [this.#whole, this.#marked];
  }

  #killedInFlight(): number {
    if (this.#kills.length === 0) return 0;
    return this.#losses.filter((loss) => this.#wasKilled(loss)).length;
  }

  #wasKilled(loss: Loss): boolean {
    return wasKilledInFlight(loss, this.#kills);
  }
}

interface Book {
  latency: Histogram;
  gaps: Gaps;
}

const latenciesOf = (latency: Histogram): LoadReport['latencyMs'] => ({
  p50: latency.quantile(0.5),
  p90: latency.quantile(0.9),
  p99: latency.quantile(0.99),
  max: latency.max,
});

/** Milliseconds since 1970 of a reading of `performance.now`. */
export const sinceEpoch = (ms: number): number => Math.round((performance.timeOrigin + ms) * 1000) / 1000;

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
