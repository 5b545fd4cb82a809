import { Histogram } from './histogram.js';
import { type Settled, Target } from './target.js';
import type { LoadOptions, LoadReport, LoadSample, Loss, LossKind } from './types.js';

const TICK_MS = 2;
/** Losses kept one by one; beyond it only the counts go on. */
const MAX_LOSSES = 10_000;

/** Steady traffic that never waits for a slow answer before it sends the next request, and counts every failure by kind. */
export class LoadGenerator {
  private readonly options: LoadOptions;
  private readonly targets: Target[] = [];
  private readonly latency = new Histogram();
  private readonly losses: Loss[] = [];
  private readonly lostByKind: Partial<Record<LossKind, number>> = {};
  private readonly versions: Record<string, number> = {};
  private readonly byKind = { get: 0, post: 0, short: 0, keepalive: 0 };
  private readonly startedAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private lastTick = performance.now();
  private credit = 0;
  private requests = 0;
  private served = 0;
  private lost = 0;
  private turn = 0;
  private lastSample = { atMs: performance.now(), served: 0 };

  constructor(options: LoadOptions) {
    this.options = options;
    for (const target of options.targets) this.add(target);
  }

  start(): this {
    this.lastTick = performance.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    return this;
  }

  add(address: string): void {
    this.targets.push(new Target(address, this.options, (target, settled) => this.settle(target, settled)));
  }

  sample(): LoadSample {
    const now = performance.now();
    const seconds = (now - this.lastSample.atMs) / 1000;
    const rps = Math.round((this.served - this.lastSample.served) / Math.max(seconds, 0.001));
    this.lastSample = { atMs: now, served: this.served };
    return {
      type: 'sample',
      rps,
      requests: this.requests,
      served: this.served,
      inFlight: this.inFlight(),
      lost: this.lost,
      p50Ms: this.latency.quantile(0.5),
      p99Ms: this.latency.quantile(0.99),
      maxMs: this.latency.max,
      maxGapMs: this.maxGap(),
    };
  }

  /** Sends nothing more, waits until every request has ended one way or the other, and reports. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.timer);
    const durationMs = performance.now() - this.startedAt;
    while (this.inFlight() > 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    for (const target of this.targets) target.close();
    return {
      type: 'report',
      requests: this.requests,
      served: this.served,
      lost: this.lost,
      lostByKind: this.lostByKind,
      losses: this.losses,
      versions: this.versions,
      byKind: this.byKind,
      latencyMs: {
        p50: this.latency.quantile(0.5),
        p90: this.latency.quantile(0.9),
        p99: this.latency.quantile(0.99),
        max: this.latency.max,
      },
      maxGapMs: this.maxGap(),
      gaps: Object.fromEntries(this.targets.map((target) => [target.address, target.maxGapMs])),
      reconnects: this.targets.reduce((sum, target) => sum + target.reconnects, 0),
      durationMs,
    };
  }

  private inFlight(): number {
    return this.targets.reduce((sum, target) => sum + target.inFlight, 0);
  }

  private maxGap(): number {
    const now = performance.now();
    return Math.max(0, ...this.targets.map((target) => target.measureGap(now)));
  }

  private tick(): void {
    const now = performance.now();
    const perMs = this.options.rate / 1000;
    this.credit += (now - this.lastTick) * perMs;
    this.lastTick = now;
    if (this.targets.length === 0) this.credit = 0;
    for (; this.credit >= 1; this.credit -= 1) this.fire(now - (this.credit - 1) / perMs);
  }

  private fire(dueMs: number): void {
    this.turn += 1;
    const target = this.targets[this.turn % this.targets.length]!;
    // Per target and in fixed proportions, so that two runs with the same flags send the same mix.
    const round = Math.floor(this.turn / this.targets.length);
    const short = (round * 7) % 100 < this.options.shortShare * 100;
    const post = (round * 13) % 100 < this.options.postShare * 100;
    this.requests += 1;
    this.byKind[post ? 'post' : 'get'] += 1;
    this.byKind[short ? 'short' : 'keepalive'] += 1;
    target.fire(post ? 'POST' : 'GET', short, dueMs);
  }

  private settle(target: Target, { request, outcome, reused }: Settled): void {
    if (outcome.kind !== 'answer') {
      this.lose(target, request.method, outcome.kind, reused);
      return;
    }
    const { status, headers, body } = outcome.response;
    if (status >= 500) this.lose(target, request.method, 'server-error', reused);
    else if (request.method === 'POST' && body.toString('latin1') !== request.body)
      this.lose(target, 'POST', 'bad-body', reused);
    else {
      this.served += 1;
      this.latency.record(performance.now() - request.dueMs);
      const version = headers.get('x-mesh-version');
      if (version !== undefined) this.versions[version] = (this.versions[version] ?? 0) + 1;
    }
  }

  private lose(target: Target, method: 'GET' | 'POST', kind: LossKind, reused: boolean): void {
    this.lost += 1;
    this.lostByKind[kind] = (this.lostByKind[kind] ?? 0) + 1;
    if (this.losses.length < MAX_LOSSES)
      this.losses.push({ target: target.address, kind, method, atMs: Date.now(), reused });
  }
}
