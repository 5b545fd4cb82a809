/** An API server, a kubelet and load that behave like the real ones, for tests and the demo. */
export type { FaultControl, FaultEffect, FaultMatch, FaultRule } from './kube-sim/faults.js';
export { readManifests, startKubeSim } from './kube-sim/start.js';
export type { KubeSim, KubeSimOptions, KubeSimStats, RequestCount } from './kube-sim/types.js';
