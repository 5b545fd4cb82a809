/** An API server, a kubelet and load that behave like the real ones, for tests and the demo. */

export { type BoundProcess, type BoundProcessOptions, startBoundProcess } from './bound-process/bound-process.js';
export { freePort } from './bound-process/free-port.js';
export { aNamespace, aNode } from './builders/a-node.js';
export { aPod, type BuiltContainer, type BuiltPod, PodBuilder } from './builders/a-pod.js';
export { aSidecarSet, type BuiltSidecarSet, SidecarSetBuilder } from './builders/a-sidecar-set.js';
export { findArm64, NoForeignNode } from './ensure/foreign-node.js';
export { findMosn, NoMosn } from './ensure/mosn.js';
export { findCaddy, findProxy, type PackagedProxy, ProxyUnavailable } from './ensure/proxies.js';
export { findZig } from './ensure/zig.js';
export { type Envoys, findEnvoys, NoEnvoy } from './envoy/envoy.js';
export { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy/fault-proxy.js';
export { acknowledge, type KubeletPod } from './instant-kubelet/acknowledge.js';
export {
  type InstantKubelet,
  type InstantKubeletOptions,
  startInstantKubelet,
} from './instant-kubelet/instant-kubelet.js';
export type { FaultControl, FaultEffect, FaultMatch, FaultRule } from './kube-sim/faults.js';
export { readManifests, startKubeSim } from './kube-sim/start.js';
export type { KubeSim, KubeSimOptions, KubeSimStats, RequestCount } from './kube-sim/types.js';
export { leaveOut } from './left-out.js';
export { LoadGenerator } from './load/generator.js';
export type { ConnectionKind, LoadOptions, LoadReport, LoadSample, Loss, LossKind } from './load/types.js';
export type { CrashBackOffOptions } from './process-kubelet/crash-back-off.js';
export type { CatalogueImage, ImageCatalogue } from './process-kubelet/image-catalogue.js';
export { startProcessKubelet } from './process-kubelet/kubelet.js';
export { KubeletError } from './process-kubelet/kubelet-error.js';
export type {
  ContainerRef,
  KubeletFaults,
  KubeletLogLine,
  ProcessKubelet,
  ProcessKubeletOptions,
  RunningContainer,
} from './process-kubelet/options.js';
export { killMarked } from './process-kubelet/process-marks.js';
export {
  type ApiServerBinaries,
  ApiServerBinariesMissing,
  ensureApiServerBinaries,
} from './real-api-server/binaries.js';
export { type RealApiServer, type RealApiServerOptions, startRealApiServer } from './real-api-server/start.js';
export { type RedisHandle, type RedisOptions, startRedis } from './redis/redis.js';
export { NoRedisServer } from './redis/redis-server.js';
export { removeFolder, removeScratch } from './scratch/remove-scratch.js';
