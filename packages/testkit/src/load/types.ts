/**
 * How a request ended when it was not answered as it should have been: `refused` and `unreachable` before there was a connection,
 * `reset` and `closed` after it was sent, `refused-stream` an HTTP/2 stream that the server refused again and again, `local` when
 * this machine ran out of something.
 */
export type LossKind =
  | 'refused'
  | 'unreachable'
  | 'reset'
  | 'closed'
  | 'timeout'
  | 'client-error'
  | 'server-error'
  | 'bad-body'
  | 'unparsable'
  | 'refused-stream'
  | 'local';

/** `keepalive` and `short` are HTTP/1.1 connections for many requests or for one; `h2` is HTTP/2 with prior knowledge. */
export type ConnectionKind = 'keepalive' | 'short' | 'h2';

/** One lost request, precise enough to attribute it to a process that died. Times are Unix milliseconds. */
export interface Loss {
  target: string;
  kind: LossKind;
  method: 'GET' | 'POST';
  connection: ConnectionKind;
  /** When it was due, and when it was written to a connection; absent when it never was. */
  dueAtMs: number;
  sentAtMs?: number;
  /** When its connection was begun; absent when it never got one. */
  openedAtMs?: number;
  /** When the client learned of it, and when it had looked before: the news may have waited since then. */
  atMs: number;
  lookedAtMs: number;
  /** Sent on a kept connection that had served before. */
  reused: boolean;
  detail: string;
  /** In a report: it is one of those that `killedInFlight` counts. */
  inKilledProcess?: true;
}

export interface LoadOptions {
  /** `host:port` each. More may be added while it runs. */
  targets: readonly string[];
  /** Requests per second over all targets together; the next one is never held back by a slow one (open loop). */
  rate: number;
  /** Time over which the rate rises evenly from nothing; servers that are cold serve few requests a second. Default 0. */
  rampMs?: number;
  /** Kept-alive connections per target. Default 8. */
  keepalive?: number;
  /** Share of requests that open a connection of their own, 0 to 1. Default 0.3. */
  shortShare?: number;
  /** Share of requests that go over HTTP/2, 0 to 1. Default 0. */
  h2Share?: number;
  /** HTTP/2 sessions per target. Default 2. */
  h2Sessions?: number;
  /** Share of POSTs (whose body must come back unchanged), 0 to 1. Default 0.5. */
  postShare?: number;
  /** Bytes in the body of a POST. Default 256. */
  postBytes?: number;
  /** A request without an answer this long after it was due is lost; while the machine stands still no time passes. Default 5,000. */
  timeoutMs?: number;
  /** What falls due at a target while so many wait there is not sent: a machine out of breath is not to be drowned. Default unlimited. */
  mostInFlight?: number;
  /** A generator that got no turn for so long was not busy: the machine stood still, servers and all. Default 5,000. */
  standstillMs?: number;
  /** Called for every lost request. */
  onLoss?: (loss: Loss) => void;
}

/** The load so far; `rps` and `recentP99Ms` are of the time since the last one. */
export interface LoadSample {
  type: 'sample';
  rps: number;
  requests: number;
  served: number;
  inFlight: number;
  lost: number;
  killedInFlight: number;
  p50Ms: number;
  p99Ms: number;
  recentP99Ms: number;
  maxMs: number;
  /** Longest time for which any one target was asked and served nothing, since the last `mark`. */
  maxGapMs: number;
}

export interface LoadReport {
  type: 'report';
  requests: number;
  served: number;
  /** Every lost request, those of `killedInFlight` included. */
  lost: number;
  lostByKind: Partial<Record<LossKind, number>>;
  /** The first ten thousand. */
  losses: Loss[];
  /** Lost because their process was killed, as told by `markKilled`, while they were in flight in it. */
  killedInFlight: number;
  /** How many were in flight in processes at the moments they were killed: the bound of `killedInFlight`. */
  inFlightAtKills: number;
  /** Answers by the `x-mesh-version` header. */
  versions: Record<string, number>;
  byKind: { get: number; post: number; short: number; keepalive: number; h2: number };
  /** From when a request was due, not from when it could be sent. */
  latencyMs: { p50: number; p90: number; p99: number; max: number };
  /** Longest time for which one target was asked and served nothing; of all targets the worst, and over all taken together. */
  maxGapMs: number;
  overallGapMs: number;
  /** The same since the last `mark`, or of the whole run. */
  sinceMark: { latencyMs: LoadReport['latencyMs']; maxGapMs: number };
  /** `maxGapMs` of each target. */
  gaps: Record<string, number>;
  byTarget: Record<string, { served: number; lost: number }>;
  /** Kept-alive connections opened to take the place of one that the server ended. */
  reconnects: number;
  connections: { opened: number; endedByAnswer: number; endedIdle: number };
  /** HTTP/2 requests sent again after the server promised not to have looked at them. */
  retriedStreams: number;
  /** The most that were in flight at one target at once. */
  peakInFlight: number;
  /** Requests that fell due and were not sent because of `mostInFlight`. */
  heldBack: number;
  /** The most that the generator itself was behind its schedule: above some milliseconds its latencies say more about it. */
  behindMs: number;
  durationMs: number;
}
