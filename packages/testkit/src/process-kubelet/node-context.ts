import type { KubeApi } from '@sidestep/kube';
import type { CrashBackOffOptions } from './crash-back-off.js';
import type { ImageStore } from './image-store.js';
import type { KubeletLogLine } from './options.js';
import type { PodEvents } from './pod-events.js';
import type { PodNetwork } from './pod-network.js';
import type { StartSlots } from './start-slots.js';

/** What all pods of one kubelet share. */
export interface NodeContext {
  readonly api: KubeApi;
  readonly node: string;
  readonly kubeletId: string;
  readonly hostIP: string;
  readonly stateDir: string;
  /** A short path, for sockets in volumes. */
  readonly volumesDir: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly statusLag: 'real' | 'none';
  readonly backOff: CrashBackOffOptions;
  readonly images: ImageStore;
  readonly startSlots: StartSlots;
  readonly network: PodNetwork;
  readonly events: PodEvents;
  log(line: Omit<KubeletLogLine, 'at'>): void;
}
