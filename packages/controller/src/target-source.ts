import {
  type ControllerRevision,
  findRecall,
  RECALL_MS,
  rolloutTarget,
  type SidecarSet,
  type UpgradeTarget,
  upgradeTarget,
} from '@sidestep/core';
import type { AlarmClock, ClusterPort, PhaseJobKeys } from './ports.js';

/**
 * How long a worker takes what it read of the planner's lease for current, in milliseconds. A new planner waits as long before
 * it begins pods, so that no worker can take a job of its predecessor for one of its own.
 */
export const TARGET_FRESH_MS = 1_000;
/** How long it takes a SidecarSet for current: below what the planner allows for before it picks others after an edit. */
const SIDECARSET_FRESH_MS = RECALL_MS / 5;
/** Jobs of a revision that is no longer wanted come in crowds: reads are this far apart, and one read tells all that wait. */
const REREAD_MS = 50;
/** SidecarSets remembered at once; what is remembered is stale at once anyway. */
const MOST_REMEMBERED = 1_000;

/** What a worker has to know to run a job. */
export interface KnownTarget {
  target: UpgradeTarget;
  /** As stored; after a rollback the target's own is another one. */
  stored: SidecarSet;
  /** Of the planner that leads. */
  epoch: number | undefined;
  /** When the SidecarSet was asked for; it may have been edited since. */
  readAt: Date;
}

type Found = KnownTarget | undefined;

interface Entry {
  readAt: number;
  found: Promise<Found>;
  /** A read that has not begun yet. */
  next?: Promise<Found>;
}

interface Surroundings {
  readAt: number;
  revisions: readonly ControllerRevision[];
  epoch: number | undefined;
}

/**
 * What the pods of a SidecarSet should become, for workers, which keep no cache of the cluster. Before a job is given up because
 * of what is remembered the SidecarSet is read again.
 */
export class TargetSource {
  private readonly entries = new Map<string, Entry>();
  private readonly surroundings = new Map<string, Surroundings>();

  constructor(
    private readonly clusterFor: (
      sidecarSet: string,
    ) => Pick<ClusterPort, 'readSidecarSet' | 'listRevisions' | 'readEpoch'>,
    private readonly clock: AlarmClock,
  ) {}

  /** What is known for the job; not necessarily of its revision. Undefined when there is no such SidecarSet. */
  async target(job: Pick<PhaseJobKeys, 'sidecarSet' | 'revision' | 'phase' | 'generation'>): Promise<Found> {
    const entry = this.entries.get(job.sidecarSet);
    if (entry === undefined) return this.read(job.sidecarSet);
    const readAt = entry.readAt;
    if (this.now() - readAt >= SIDECARSET_FRESH_MS) return this.readAgain(job.sidecarSet);
    const found = await entry.found;
    return isFor(job, found) ? found : this.readAgain(job.sidecarSet);
  }

  /** A read that begins now or later, and is that of everybody who waits for one. */
  private readAgain(name: string): Promise<Found> {
    const entry = this.entries.get(name);
    const wait = entry === undefined ? 0 : entry.readAt + REREAD_MS - this.now();
    if (entry === undefined || wait <= 0) return this.read(name);
    entry.next ??= new Promise<void>((resolve) => this.clock.after(wait, resolve)).then(() => this.read(name));
    return entry.next;
  }

  private read(name: string): Promise<Found> {
    if (this.entries.size >= MOST_REMEMBERED) this.forgetAll();
    const found = this.fetch(name);
    this.entries.set(name, { readAt: this.now(), found });
    // A failed read must not be remembered.
    found.catch(() => {
      if (this.entries.get(name)?.found === found) this.entries.delete(name);
    });
    return found;
  }

  private async fetch(name: string): Promise<Found> {
    const readAt = this.clock.now();
    const known = this.surroundings.get(name);
    const isFresh = known !== undefined && this.now() - known.readAt < TARGET_FRESH_MS;
    const [stored, around] = await Promise.all([
      this.clusterFor(name).readSidecarSet(name),
      isFresh ? known : this.fetchSurroundings(name),
    ]);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const { revisions, epoch } = this.knowsAll(stored, around) ? around : await this.fetchSurroundings(name);
    return { target: upgradeTarget(rolloutTarget(stored, revisions), revisions), stored, epoch, readAt };
  }

  private async fetchSurroundings(name: string): Promise<Surroundings> {
    const readAt = this.now();
    const cluster = this.clusterFor(name);
    const [revisions, epoch] = await Promise.all([cluster.listRevisions(name), cluster.readEpoch()]);
    const around = { readAt, revisions, epoch };
    this.surroundings.set(name, around);
    return around;
  }

  /** A rollback goes to a revision that the status names; a list from before it existed would not do. */
  private knowsAll({ status }: SidecarSet, { revisions }: Surroundings): boolean {
    const names = [status?.latestRevision, status?.currentRevision].filter((name) => name !== undefined);
    return names.every((name) => revisions.some(({ metadata }) => metadata.name === name));
  }

  private forgetAll(): void {
    this.entries.clear();
    this.surroundings.clear();
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}

/** A job that is not for what is known may be newer than that. */
const isFor = (
  { revision, phase, generation }: Pick<PhaseJobKeys, 'revision' | 'phase' | 'generation'>,
  found: Found,
): boolean => {
  if (found === undefined) return false;
  const known = found.stored.metadata.generation;
  // Edited since: reading again could only tell of more edits.
  if (generation !== undefined && known !== undefined && known > generation) return true;
  if (generation !== undefined && known !== undefined && known < generation) return false;
  return found.target.hash === revision && (phase !== 'upgrade' || findRecall(found.stored, generation) === undefined);
};
