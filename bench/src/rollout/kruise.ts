/**
 * OpenKruise 1.9.0 with its chart defaults (30 calls a second, burst 50) and with its limits raised (500/1000, ten workers), measured
 * on two cores with a real kube-apiserver 1.34 and kubelets that answer at once, 1,000 pods and maxUnavailable 100 %. Absolute
 * figures differ from machine to machine; ratios tell more when both ran on the same one.
 */
export const KRUISE_ROLLOUT = {
  shipped: {
    cold: { podsPerMinute: 920, callsPerPod: 2.04, apiServerCpuMsPerPod: 30, firstPatchMs: 191 },
    hot: { podsPerMinute: 473, callsPerPod: 4.1, apiServerCpuMsPerPod: 48, firstPatchMs: 162 },
  },
  raised: {
    cold: { podsPerMinute: 3611, callsPerPod: 2.01, apiServerCpuMsPerPod: 18, firstPatchMs: 74 },
    hot: { podsPerMinute: 1847, callsPerPod: 4.02, apiServerCpuMsPerPod: 37, firstPatchMs: 111 },
  },
} as const;
