import type { FaultControl } from './faults.js';

/** A parsed object of an API server. */
export interface SimObject {
  apiVersion: string;
  kind: string;
  metadata: SimMeta;
  [field: string]: unknown;
}

export interface SimMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  generateName?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { uid: string; [field: string]: unknown }[];
  [field: string]: unknown;
}

/** One resource that is served, in one of its versions. */
export interface ResourceDefinition {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  /** Built-in kinds leave apiVersion and kind out of list items, custom resources keep them. */
  builtin: boolean;
  hasStatus: boolean;
  /** The version objects are stored in; differs from `version` only for custom resources with several versions. */
  storageVersion: string;
}

/** Settings of `startKubeSim`. */
export interface KubeSimOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Where the kubeconfig is written; without it `kubeconfig` of the handle is only text. */
  kubeconfigFile?: string;
  /** Files, or folders of YAML; what is not there yet is created before the first request is answered. */
  manifests?: string[];
  /** Where admission and conversion webhooks named by a Service are reached: `{'ns/name': 'https://127.0.0.1:9876'}`. */
  services?: Record<string, string>;
  /** Events kept per resource for watches to resume from. Default 20 000. */
  watchHistory?: number;
  /** Seconds between bookmarks of a watch. Default 60, as a real server. */
  bookmarkSeconds?: number;
  /** Seed of the faults that have a probability. Default 1. */
  seed?: number;
  /**
   * Every write is kept in this folder before it is answered, and a server that starts there goes on where the one before it was
   * killed, on its port. Without it everything is in memory. Rejects with a `DataDirError` where the folder cannot be used.
   */
  dataDir?: string;
  /** The journal is never written anew below so many bytes. Default 16 MiB. */
  journalBytes?: number;
  /** It ended by itself: its journal could not be written, so nothing that it answered would have been true. */
  onFailure?: (error: Error) => void;
}

/** A running kube-sim. */
export interface KubeSim {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** Text of a kubeconfig for it, usable by kubectl. */
  kubeconfig: string;
  faults: FaultControl;
  /** Says where a Service that a webhook configuration names is reached, e.g. `('kruise-system', 'kruise-webhook-service', 'https://127.0.0.1:9876')`. */
  setService(namespace: string, name: string, url: string): void;
  /** Requests answered so far, by verb, resource and user agent. */
  stats(): KubeSimStats;
  resetStats(): void;
  stop(): Promise<void>;
}

export interface RequestCount {
  verb: string;
  resource: string;
  userAgent: string;
  code: number;
  count: number;
}

export interface KubeSimStats {
  requests: RequestCount[];
  objects: number;
  openWatches: number;
  watchEventsSent: number;
  /** CPU time of the whole process, in milliseconds. */
  cpuMs: number;
  rssBytes: number;
}
