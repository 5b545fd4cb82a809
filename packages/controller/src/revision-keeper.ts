import {
  type ControllerRevision,
  decideRevisions,
  KRUISE,
  type RevisionDecision,
  type SidecarSet,
} from '@sidestep/core';
import type { Clock, ClusterPort } from './ports.js';
import { isOlderVersion } from './resource-version.js';

export interface KeptRevisions {
  /** Name of the revision that records the spec as it stands. */
  latest: string;
  revisions: ControllerRevision[];
  collisionCount: number;
}

interface Expected {
  /** Undefined: deleted. */
  revision: ControllerRevision | undefined;
  until: number;
}

/** A write that the watch has not shown after this long was lost on the way, and the store is believed again. */
const EXPECTATION_MS = 30_000;
const TRIES = 5;

/**
 * Writes the ControllerRevisions of SidecarSets. The store that it is given may be behind its own writes, so these are
 * remembered until the store shows them.
 */
export class RevisionKeeper {
  private readonly expected = new Map<string, Expected>();
  private readonly settled = new Map<string, { key: string; kept: KeptRevisions }>();

  constructor(
    private readonly cluster: Pick<
      ClusterPort,
      'listRevisions' | 'createRevision' | 'updateRevision' | 'deleteRevision'
    >,
    private readonly clock: Clock,
    private readonly namespace: string,
  ) {}

  /** Has the spec recorded and surplus history removed. Costs no call, and next to no time, while nothing changed. */
  async keep(
    set: SidecarSet,
    stored: readonly ControllerRevision[],
    inUse: ReadonlySet<string>,
  ): Promise<KeptRevisions> {
    const name = set.metadata.name ?? '';
    const existing = this.withExpected(name, stored);
    const key = settledKey(set, existing, inUse);
    const settled = this.settled.get(name);
    if (settled?.key === key) return settled.kept;
    const kept = await this.write(set, existing, inUse);
    const { revisions } = kept;
    this.settled.set(name, { key: settledKey(set, revisions, inUse), kept });
    return kept;
  }

  /** The SidecarSet is gone; the garbage collector takes its revisions. */
  forget(name: string): void {
    this.settled.delete(name);
    for (const key of [...this.expected.keys()]) if (key.startsWith(`${name}/`)) this.expected.delete(key);
  }

  private async write(
    set: SidecarSet,
    stored: ControllerRevision[],
    inUse: ReadonlySet<string>,
  ): Promise<KeptRevisions> {
    const name = set.metadata.name ?? '';
    const taken = new Set<string>();
    let existing = stored;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const decision = decideRevisions({ set, existing, inUse, namespace: this.namespace, taken });
      const latest = await this.writeLatest(name, decision);
      if (latest !== undefined) return this.prune(name, existing, decision, latest);
      // The store is behind, or the name belongs to somebody else: the API server itself knows which.
      existing = await this.cluster.listRevisions(name);
      const wanted = decision.create?.metadata.name ?? '';
      if (decision.create !== undefined && !existing.some((revision) => revision.metadata.name === wanted))
        taken.add(wanted);
    }
    throw Object.assign(new Error(`The ControllerRevisions of ${name} change faster than they can be written`), {
      code: 'REVISION_CONFLICT',
      hint: 'Another controller writes them too; only one may run.',
      retry: 'backoff',
    });
  }

  private async writeLatest(name: string, decision: RevisionDecision): Promise<ControllerRevision | undefined> {
    const { create, update, latest } = decision;
    if (create === undefined && update === undefined) return latest;
    const result = create === undefined ? await this.update(latest) : await this.cluster.createRevision(create);
    if (result !== undefined) this.expect(name, result.metadata.name ?? '', result);
    return result;
  }

  private async update(revision: ControllerRevision): Promise<ControllerRevision | undefined> {
    const result = await this.cluster.updateRevision(revision);
    return result.kind === 'written' ? result.object : undefined;
  }

  private async prune(
    name: string,
    existing: ControllerRevision[],
    decision: RevisionDecision,
    latest: ControllerRevision,
  ): Promise<KeptRevisions> {
    const removed = new Set(decision.remove.map((revision) => revision.metadata.name));
    for (const revision of decision.remove) {
      await this.cluster.deleteRevision(revision.metadata.name ?? '');
      this.expect(name, revision.metadata.name ?? '', undefined);
    }
    const others = existing.filter(
      ({ metadata }) => metadata.name !== latest.metadata.name && !removed.has(metadata.name),
    );
    return {
      latest: latest.metadata.name ?? '',
      revisions: [...others, latest],
      collisionCount: decision.collisionCount,
    };
  }

  private expect(set: string, revision: string, object: ControllerRevision | undefined): void {
    this.expected.set(`${set}/${revision}`, { revision: object, until: this.clock.now().getTime() + EXPECTATION_MS });
  }

  private withExpected(set: string, stored: readonly ControllerRevision[]): ControllerRevision[] {
    const merged = new Map(stored.map((revision) => [revision.metadata.name ?? '', revision]));
    const now = this.clock.now().getTime();
    for (const [key, { revision, until }] of this.expected) {
      if (!key.startsWith(`${set}/`)) continue;
      const name = key.slice(set.length + 1);
      const shown = merged.get(name);
      if (now > until || hasArrived(shown, revision)) this.expected.delete(key);
      else if (revision === undefined) merged.delete(name);
      else merged.set(name, revision);
    }
    return [...merged.values()];
  }
}

const hasArrived = (shown: ControllerRevision | undefined, expected: ControllerRevision | undefined): boolean => {
  if (expected === undefined) return shown === undefined;
  return shown !== undefined && !isOlderVersion(shown.metadata.resourceVersion, expected.metadata.resourceVersion);
};

/** Equal keys: deciding again would come to the same. */
const settledKey = (
  { metadata, spec, status }: SidecarSet,
  revisions: readonly ControllerRevision[],
  inUse: ReadonlySet<string>,
): string =>
  JSON.stringify([
    metadata.uid,
    metadata.generation,
    metadata.annotations?.[KRUISE.hash],
    metadata.labels?.[KRUISE.customVersion],
    spec.revisionHistoryLimit,
    status?.currentRevision,
    revisions.map((revision) => [revision.metadata.name, revision.metadata.resourceVersion]).sort(),
    [...inUse].sort(),
  ]);
