/**
 * OpenKruise 1.9.0 with the chart's defaults, measured once on two idle cores that it shared with API server, etcd and load
 * generator: the same reviews, kept-alive TLS, ten seconds each. Absolute figures of another machine: compare them with a row only
 * through the baseline, which took 0.3 ms per request there.
 */
export interface KruiseFigures {
  rps: number;
  p50: number;
  p99?: number;
  cpuMs?: number;
}

/** Pods of a ReplicaSet, by SidecarSets and clients. */
export const KRUISE: Readonly<Record<string, KruiseFigures>> = {
  '1/1': { rps: 681, p50: 1.25, p99: 4.6, cpuMs: 1.48 },
  '1/8': { rps: 1174, p50: 4, p99: 32, cpuMs: 1.43 },
  '1/32': { rps: 1027, p50: 22, p99: 151, cpuMs: 1.59 },
  '10/1': { rps: 576, p50: 1.4, p99: 6.6, cpuMs: 1.64 },
  '10/8': { rps: 1126, p50: 4.3, p99: 33, cpuMs: 1.46 },
  '10/32': { rps: 1109, p50: 20, p99: 136, cpuMs: 1.47 },
  '100/1': { rps: 472, p50: 1.7, p99: 7, cpuMs: 2.18 },
  '100/8': { rps: 708, p50: 6.4, p99: 61, cpuMs: 2.03 },
  '100/32': { rps: 611, p50: 36, p99: 285, cpuMs: 2.29 },
};

/** One SidecarSet and 8 clients, by the review. */
export const KRUISE_BY_REVIEW: Readonly<Record<string, KruiseFigures>> = {
  'pod-noowner': { rps: 895, p50: 5.4 },
  'pod-daemonset': { rps: 30, p50: 267 },
  'pod-job': { rps: 30, p50: 267 },
  'pod-daemonset-nomatch': { rps: 30, p50: 267 },
  'pod-nomatch': { rps: 2959, p50: 1.7, p99: 15, cpuMs: 0.47 },
};
