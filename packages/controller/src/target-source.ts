import { rolloutTarget, type UpgradeTarget, upgradeTarget } from '@sidestep/core';
import type { Clock, ClusterPort } from './ports.js';

/**
 * How long a worker takes what it read for current, in milliseconds: one read serves all its jobs of that second. A new planner
 * waits as long before it begins pods, so that no worker can take a job of its predecessor for one of its own.
 */
export const TARGET_FRESH_MS = 1_000;
/** Jobs of a revision that is no longer wanted come in crowds; one read in this time tells all of them. */
const REREAD_MS = 50;

/** What a worker has to know to run a job. */
export interface KnownTarget {
  target: UpgradeTarget;
  /** Of the planner that leads. */
  epoch: number | undefined;
}

interface Entry {
  readAt: number;
  known: Promise<KnownTarget | undefined>;
}

/**
 * What the pods of a SidecarSet should become, for workers, which keep no cache of the cluster. A job for a revision that the
 * remembered SidecarSet does not want makes it read again before the job is given up.
 */
export class TargetSource {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly clusterFor: (
      sidecarSet: string,
    ) => Pick<ClusterPort, 'readSidecarSet' | 'listRevisions' | 'readEpoch'>,
    private readonly clock: Clock,
  ) {}

  /** The target, if it is of that revision. */
  async target(sidecarSet: string, revision: string): Promise<KnownTarget | undefined> {
    const entry = this.entries.get(sidecarSet);
    const now = this.clock.now().getTime();
    if (entry !== undefined && now - entry.readAt < TARGET_FRESH_MS) {
      const known = await entry.known;
      if (known?.target.hash === revision) return known;
      if (now - entry.readAt < REREAD_MS) return undefined;
    }
    const known = await this.read(sidecarSet, now);
    return known?.target.hash === revision ? known : undefined;
  }

  private read(sidecarSet: string, now: number): Promise<KnownTarget | undefined> {
    const known = this.fetch(sidecarSet);
    this.entries.set(sidecarSet, { readAt: now, known });
    // A failed read must not be remembered, and neither must a SidecarSet that is gone.
    const forget = (): void => {
      if (this.entries.get(sidecarSet)?.known === known) this.entries.delete(sidecarSet);
    };
    known.then((found) => (found === undefined ? forget() : undefined), forget);
    return known;
  }

  private async fetch(name: string): Promise<KnownTarget | undefined> {
    const cluster = this.clusterFor(name);
    const [sidecarSet, revisions, epoch] = await Promise.all([
      cluster.readSidecarSet(name),
      cluster.listRevisions(name),
      cluster.readEpoch(),
    ]);
    if (sidecarSet === undefined || sidecarSet.metadata.deletionTimestamp !== undefined) return undefined;
    return { target: upgradeTarget(rolloutTarget(sidecarSet, revisions), revisions), epoch };
  }
}
