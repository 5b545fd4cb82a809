import {
  type Pod,
  type PrePullRequest,
  pullOwnerOf,
  pullPod,
  pullRequestOf,
  pullStateOf,
  type RolloutDecision,
  type RolloutLedger,
  type SidecarSet,
} from '@sidestep/core';
import type { PlannerCache } from './planner-cache.js';
import type { Clock, ClusterPort } from './ports.js';

interface Parts {
  cluster: Pick<ClusterPort, 'createPod' | 'deletePod'>;
  cache: Pick<PlannerCache, 'pullPods'>;
  clock: Clock;
  /** Where pull pods live. */
  namespace: string;
}

interface Since {
  request: PrePullRequest;
  at: number;
}

/** A pull pod that is not to be seen by then was deleted, or never came to be. */
const EXPECTATION_MS = 30_000;
/** A quota or a policy may have been mended by then. */
const RETRY_REFUSED_MS = 30_000;
/** A registry may have been mended by then. */
const RETRY_FAILED_MS = 600_000;

/** Brings the new image of one SidecarSet to the nodes before its pods are begun, by a pull pod per node and image. */
export class PrePulls {
  private readonly asked = new Map<string, Since>();
  private readonly failed = new Map<string, Since>();
  private refused: PrePullRequest | undefined;
  private refusedUntil = 0;

  constructor(private readonly parts: Parts) {}

  /** Tells the ledger what became of the images. */
  gather(ledger: RolloutLedger): void {
    const now = this.parts.clock.now();
    const seen = new Set<string>();
    for (const pod of this.parts.cache.pullPods()) {
      const request = pullRequestOf(pod);
      if (request === undefined) continue;
      const { state, final } = pullStateOf(pod, now);
      const key = keyOf(request);
      seen.add(key);
      ledger.setNodeImage(request.node, request.image, state);
      if (final) this.asked.delete(key);
      else if (!this.asked.has(key)) this.asked.set(key, { request, at: now.getTime() });
      if (final && state === 'failed' && !this.failed.has(key)) this.failed.set(key, { request, at: now.getTime() });
    }
    if (this.refused !== undefined && this.refusedUntil <= now.getTime()) {
      ledger.setNodeImage(this.refused.node, this.refused.image, 'unknown');
      this.refused = undefined;
    }
    this.forget(ledger, this.asked, EXPECTATION_MS, seen);
    this.forget(ledger, this.failed, RETRY_FAILED_MS, seen);
  }

  /** Begins pulls and removes pods that are done or of no use. Resolves to the milliseconds after which to look again. */
  async act(
    ledger: RolloutLedger,
    sidecarSet: SidecarSet,
    { prePull: requests, prePullImages: images }: Pick<RolloutDecision, 'prePull' | 'prePullImages'>,
  ): Promise<number | undefined> {
    const { cluster, cache, clock, namespace } = this.parts;
    const now = clock.now();
    for (const { pod, request } of pullsOf(sidecarSet.metadata.name ?? '', cache)) {
      const isWanted = images.includes(request.image);
      if (isWanted && !pullStateOf(pod, now).final) continue;
      await removePod(pod, this.parts);
      if (!isWanted) this.drop(ledger, request);
    }
    for (const request of this.refusedUntil > now.getTime() ? [] : requests) {
      const made = await cluster.createPod(pullPod(request, sidecarSet, namespace));
      if (made.kind === 'refused') {
        this.refuse(ledger, request, made.message);
        // The status is to say so at once.
        return 0;
      }
      ledger.setNodeImage(request.node, request.image, 'pulling');
      this.asked.set(keyOf(request), { request, at: now.getTime() });
    }
    if (images.length === 0) return undefined;
    if (this.refusedUntil > now.getTime()) return this.refusedUntil - now.getTime();
    if (this.asked.size > 0) return EXPECTATION_MS;
    return this.failed.size > 0 ? RETRY_FAILED_MS : undefined;
  }

  /** What the API server refuses for one node (a quota, a policy, a missing right) it refuses for all, so none is asked for a while. */
  private refuse(ledger: RolloutLedger, request: PrePullRequest, message: string): void {
    this.refusedUntil = this.parts.clock.now().getTime() + RETRY_REFUSED_MS;
    this.refused = request;
    ledger.setNodeImage(request.node, request.image, 'failed', message);
  }

  /** As if it had never been asked for. */
  private drop(ledger: RolloutLedger, request: PrePullRequest): void {
    const key = keyOf(request);
    this.asked.delete(key);
    this.failed.delete(key);
    ledger.setNodeImage(request.node, request.image, 'unknown');
  }

  private forget(ledger: RolloutLedger, notes: Map<string, Since>, afterMs: number, seen: ReadonlySet<string>): void {
    const now = this.parts.clock.now().getTime();
    for (const [key, { request, at }] of notes) {
      if (seen.has(key) || now - at < afterMs) continue;
      notes.delete(key);
      ledger.setNodeImage(request.node, request.image, 'unknown');
    }
  }
}

const keyOf = ({ node, image }: PrePullRequest): string => `${node}\n${image}`;

/** Removes what pulls for a SidecarSet that is gone: nobody else looks at it, and kubelets would try for ever. */
export const removePullsOf = async (sidecarSet: string, parts: Omit<Parts, 'clock'>): Promise<void> => {
  for (const { pod } of pullsOf(sidecarSet, parts.cache)) await removePod(pod, parts);
};

const pullsOf = (sidecarSet: string, cache: Parts['cache']): { pod: Pod; request: PrePullRequest }[] =>
  [...cache.pullPods()].flatMap((pod) => {
    const request = pullRequestOf(pod);
    return request === undefined || pullOwnerOf(pod) !== sidecarSet ? [] : [{ pod, request }];
  });

const removePod = ({ metadata }: Pod, { cluster, namespace }: Pick<Parts, 'cluster' | 'namespace'>): Promise<void> => {
  const { name = '', uid = '', deletionTimestamp } = metadata;
  return deletionTimestamp === undefined ? cluster.deletePod({ namespace, name }, uid) : Promise.resolve();
};
