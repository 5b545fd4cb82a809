import { rolloutTarget, type UpgradeTarget, upgradeTarget } from '@sidestep/core';
import type { Clock, ClusterPort } from './ports.js';

/** How long a worker takes a SidecarSet for current, in milliseconds: one read serves all its jobs of that second. */
const FRESH_MS = 1_000;
/** Jobs of a revision that is no longer wanted come in crowds; one read in this time tells all of them. */
const REREAD_MS = 50;

interface Entry {
  readAt: number;
  target: Promise<UpgradeTarget | undefined>;
}

/**
 * What the pods of a SidecarSet should become, for workers, which keep no cache of the cluster. A job for a revision that the
 * remembered SidecarSet does not want makes it read again before the job is given up.
 */
export class TargetSource {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly clusterFor: (sidecarSet: string) => Pick<ClusterPort, 'readSidecarSet' | 'listRevisions'>,
    private readonly clock: Clock,
  ) {}

  /** The target, if it is of that revision. */
  async target(sidecarSet: string, revision: string): Promise<UpgradeTarget | undefined> {
    const entry = this.entries.get(sidecarSet);
    const now = this.clock.now().getTime();
    if (entry !== undefined && now - entry.readAt < FRESH_MS) {
      const target = await entry.target;
      if (target?.hash === revision) return target;
      if (now - entry.readAt < REREAD_MS) return undefined;
    }
    const target = await this.read(sidecarSet, now);
    return target?.hash === revision ? target : undefined;
  }

  private read(sidecarSet: string, now: number): Promise<UpgradeTarget | undefined> {
    const target = this.fetch(sidecarSet);
    this.entries.set(sidecarSet, { readAt: now, target });
    // A failed read must not be remembered, and neither must a SidecarSet that is gone.
    const forget = (): void => {
      if (this.entries.get(sidecarSet)?.target === target) this.entries.delete(sidecarSet);
    };
    target.then((found) => (found === undefined ? forget() : undefined), forget);
    return target;
  }

  private async fetch(name: string): Promise<UpgradeTarget | undefined> {
    const cluster = this.clusterFor(name);
    const [sidecarSet, revisions] = await Promise.all([cluster.readSidecarSet(name), cluster.listRevisions(name)]);
    if (sidecarSet === undefined || sidecarSet.metadata.deletionTimestamp !== undefined) return undefined;
    return upgradeTarget(rolloutTarget(sidecarSet, revisions), revisions);
  }
}
