import { defaultSidecarSet, lookupOf, type SidecarSet, SidecarSetIndex, Whitelist, withHashes } from '@sidestep/core';
import type { ClusterView } from '../src/cluster/cluster-view.js';

export interface MemoryViewOptions {
  sidecarSets?: unknown[];
  namespaces?: Record<string, Record<string, string>>;
  missing?: string[];
  whitelist?: string;
  /** Runs while a pod waits for its namespace. */
  onWait?: () => void;
}

/** What a cluster would show, without one. */
export function memoryView(options: MemoryViewOptions = {}): ClusterView {
  const sets = (options.sidecarSets ?? []).map((set) => withHashes(defaultSidecarSet(set as SidecarSet)));
  const namespaces = options.namespaces ?? { shop: {} };
  const data =
    options.whitelist === undefined ? undefined : { SidecarSet_PatchPodMetadata_WhiteList: options.whitelist };
  return {
    sidecarSets: new SidecarSetIndex(sets),
    revisions: lookupOf([]),
    missing: () => options.missing ?? [],
    listSidecarSets: () => sets,
    namespaceLabels: (name: string) => namespaces[name],
    namespaceKnown: async () => options.onWait?.(),
    whitelist: () => Whitelist.parse(data),
  } as unknown as ClusterView;
}
