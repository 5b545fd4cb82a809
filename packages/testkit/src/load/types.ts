/** How a request ended when it was not answered as it should have been. */
export type LossKind = 'refused' | 'reset' | 'closed' | 'timeout' | 'server-error' | 'bad-body' | 'unparsable';

/** One lost request, precise enough to attribute it to a process that died. */
export interface Loss {
  target: string;
  kind: LossKind;
  method: 'GET' | 'POST';
  /** Unix milliseconds at which the client learned of it. */
  atMs: number;
  /** Sent on a kept-alive connection that had served before. */
  reused: boolean;
}

export interface LoadOptions {
  /** `host:port` each. More may be added while it runs. */
  targets: string[];
  /** Requests per second over all targets together; the next one is never held back by a slow one (open loop). */
  rate: number;
  /** Kept-alive connections per target. */
  keepalive: number;
  /** Share of requests that open a connection of their own, 0 to 1. */
  shortShare: number;
  /** Share of POSTs (whose body must come back unchanged), 0 to 1. */
  postShare: number;
  /** A request without an answer for this long is lost. */
  timeoutMs: number;
}

/** The load so far; `rps` is of the time since the last one. */
export interface LoadSample {
  type: 'sample';
  rps: number;
  requests: number;
  served: number;
  inFlight: number;
  lost: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Longest time without a served request at any one target. */
  maxGapMs: number;
}

export interface LoadReport {
  type: 'report';
  requests: number;
  served: number;
  lost: number;
  lostByKind: Partial<Record<LossKind, number>>;
  losses: Loss[];
  /** Answers by the `x-mesh-version` header. */
  versions: Record<string, number>;
  byKind: { get: number; post: number; short: number; keepalive: number };
  /** From when a request was due, not from when it could be sent. */
  latencyMs: { p50: number; p90: number; p99: number; max: number };
  maxGapMs: number;
  gaps: Record<string, number>;
  reconnects: number;
  durationMs: number;
}
