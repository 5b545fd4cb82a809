import { isDeepStrictEqual } from 'node:util';
import type { SidecarSet, SidecarSetStatus } from '@sidestep/core';
import type { Clock, ClusterPort } from './ports.js';
import { isOlderVersion } from './resource-version.js';

/** Counters alone are written at most this often per SidecarSet: during a rollout they change with every pod. */
const COUNTERS_EVERY_MS = 1_000;
const AFTER_CONFLICT_MS = 200;

interface Written {
  sidecarSet: SidecarSet;
  at: number;
}

/** Writes the status of SidecarSets when it changed, and knows what it wrote before the watch shows it. */
export class StatusWriter {
  private readonly last = new Map<string, Written>();

  constructor(
    private readonly cluster: Pick<ClusterPort, 'writeSidecarSetStatus'>,
    private readonly clock: Clock,
  ) {}

  /** The newer of the given SidecarSet and the answer to the last write; the watch may be behind. */
  freshest(given: SidecarSet): SidecarSet {
    const written = this.last.get(given.metadata.name ?? '')?.sidecarSet;
    if (written === undefined || written.metadata.uid !== given.metadata.uid) return given;
    return isOlderVersion(given.metadata.resourceVersion, written.metadata.resourceVersion) ? written : given;
  }

  forget(name: string): void {
    this.last.delete(name);
  }

  /** Resolves to the milliseconds after which to come back, when there is something left to write. */
  async write(sidecarSet: SidecarSet, status: SidecarSetStatus): Promise<number | undefined> {
    if (isDeepStrictEqual(sidecarSet.status, status)) return undefined;
    const name = sidecarSet.metadata.name ?? '';
    const now = this.clock.now().getTime();
    const due = (this.last.get(name)?.at ?? Number.NEGATIVE_INFINITY) + COUNTERS_EVERY_MS;
    if (due > now && !isUrgent(sidecarSet.status, status)) return due - now;
    const result = await this.cluster.writeSidecarSetStatus(sidecarSet, status);
    if (result.kind === 'conflict') return AFTER_CONFLICT_MS;
    if (result.kind === 'written') this.last.set(name, { sidecarSet: result.object, at: now });
    return undefined;
  }
}

/** More than counters and messages changed: somebody may wait for it. */
export function isUrgent(before: SidecarSetStatus | undefined, after: SidecarSetStatus): boolean {
  return !isDeepStrictEqual(essence(before), essence(after));
}

/** Counters, which may wait; every field that is not one is worth a write of its own. */
const COUNTERS: readonly string[] = [
  'matchedPods',
  'updatedPods',
  'readyPods',
  'updatedReadyPods',
  'upgradingPods',
  'failedPods',
];

const essence = (status: SidecarSetStatus | undefined): unknown => {
  if (status === undefined) return undefined;
  const fields = Object.entries(status).filter(([field]) => !COUNTERS.includes(field) && field !== 'conditions');
  const conditions = (status.conditions ?? []).map(({ type, status: holds, reason }) => [type, holds, reason]);
  return [Object.fromEntries(fields), conditions];
};
