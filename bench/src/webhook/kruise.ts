/** OpenKruise 1.9 on two cores, ReplicaSet's pods: requests per second, p99 in ms and CPU ms per request, by SidecarSets and clients. */
export const KRUISE: Record<string, { rps: number; p99: number; cpuMs: number }> = {
  '1/1': { rps: 681, p99: 4.6, cpuMs: 1.48 },
  '1/8': { rps: 1174, p99: 32, cpuMs: 1.43 },
  '1/32': { rps: 1027, p99: 151, cpuMs: 1.59 },
  '10/1': { rps: 576, p99: 6.6, cpuMs: 1.64 },
  '10/8': { rps: 1126, p99: 33, cpuMs: 1.46 },
  '10/32': { rps: 1109, p99: 136, cpuMs: 1.47 },
  '100/1': { rps: 472, p99: 7.0, cpuMs: 2.18 },
  '100/8': { rps: 708, p99: 61, cpuMs: 2.03 },
  '100/32': { rps: 611, p99: 285, cpuMs: 2.29 },
};

/** The same with 8 clients and one SidecarSet, by the owner of the pod. */
export const KRUISE_BY_OWNER: Record<string, { rps: number }> = {
  none: { rps: 895 },
  DaemonSet: { rps: 30 },
  Job: { rps: 30 },
  'DaemonSet, no match': { rps: 30 },
};
