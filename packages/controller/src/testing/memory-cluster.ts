import {
  applyJsonPatch,
  type ControllerRevision,
  type FullPod,
  type JsonPatch,
  type Pod,
  type SidecarSet,
  type SidecarSetStatus,
} from '@sidestep/core';
import type { ClusterPort, Freshness, PodRef, PodWriteResult, WriteResult } from '../ports.js';

type Stored = { metadata: { name?: string; namespace?: string; uid?: string; resourceVersion?: string } };

const keyOf = ({ namespace, name }: { namespace?: string; name?: string }): string =>
  `${namespace ?? ''}/${name ?? ''}`;

/** An API server's objects, with its conflicts, in memory; writes are listed in `writes` as a person would tell them. */
export class MemoryCluster implements ClusterPort {
  readonly pods = new Map<string, FullPod>();
  readonly sidecarSets = new Map<string, SidecarSet>();
  readonly revisions = new Map<string, ControllerRevision>();
  readonly writes: string[] = [];
  readonly reads: Freshness[] = [];
  /** What reads that need not be the newest are answered from: a former state, instead of the present one. */
  remembered: ReadonlyMap<string, FullPod> | undefined;
  /** Runs before each pod write, to let somebody else be faster, or to fail. */
  beforePodWrite: (ref: PodRef) => void = () => undefined;
  /** The time at which a write reaches the API server. */
  now: () => Date = () => new Date(0);
  /** Of the planner that holds the lease. */
  epoch: number | undefined;
  private version = 100;

  put<T extends Stored>(kind: Map<string, T>, object: T): T {
    const key = kind === (this.sidecarSets as unknown) ? (object.metadata.name ?? '') : keyOf(object.metadata);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.nextVersion() } };
    kind.set(key, stored);
    return stored;
  }

  /** What a policy says to pods that are written. */
  refusePodWrites: string | undefined;

  /** What a quota or a policy says to pods that are created. */
  refusePods: string | undefined;

  putPod(pod: Pod): FullPod {
    return this.put(this.pods, pod as FullPod);
  }

  pod(name: string, namespace = 'shop'): FullPod {
    const pod = this.pods.get(keyOf({ namespace, name }));
    if (pod === undefined) throw new Error(`no pod ${namespace}/${name}`);
    return pod;
  }

  async readPod(ref: PodRef, freshness: Freshness): Promise<FullPod | undefined> {
    this.reads.push(freshness);
    const remembered = freshness === 'recent' ? this.remembered : undefined;
    return (remembered ?? this.pods).get(keyOf(ref));
  }

  async patchPod(
    { metadata: { namespace = '', name = '' } }: FullPod,
    patch: JsonPatch,
    sendBy?: Date,
  ): Promise<PodWriteResult> {
    const ref = { namespace, name };
    this.beforePodWrite(ref);
    if (this.refusePodWrites !== undefined) return { kind: 'refused', message: this.refusePodWrites };
    if (sendBy !== undefined && this.now() > sendBy) return { kind: 'conflict' };
    const pod = this.pods.get(keyOf(ref));
    if (pod === undefined) return { kind: 'gone' };
    const patched = applyJsonPatch(pod, patch);
    if (patched.metadata.resourceVersion !== pod.metadata.resourceVersion) return { kind: 'conflict' };
    this.writes.push(`patch pod ${ref.name}: ${imagesOf(patched)}`);
    const { metadata } = this.putPod(patched);
    return { kind: 'written', object: { metadata } };
  }

  async patchPodStatus(ref: PodRef, uid: string, patch: object): Promise<WriteResult<unknown>> {
    const pod = this.pods.get(keyOf(ref));
    if (pod === undefined) return { kind: 'gone' };
    if (pod.metadata.uid !== uid) return { kind: 'conflict' };
    const [condition] = (patch as { status: { conditions: { type: string; status: string }[] } }).status.conditions;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition?.type);
    const conditions = condition === undefined ? others : [...others, condition as (typeof others)[number]];
    this.writes.push(`patch pod ${ref.name} condition ${condition?.type}=${condition?.status}`);
    return { kind: 'written', object: this.putPod({ ...pod, status: { ...pod.status, conditions } }) };
  }

  async createPod(pod: Pod): Promise<CreateResult> {
    if (this.pods.has(keyOf(pod.metadata))) return { kind: 'created' };
    if (this.refusePods !== undefined) {
      this.writes.push(`refused pod for ${pod.spec.containers[0]?.image} on ${pod.spec.nodeName}`);
      return { kind: 'refused', message: this.refusePods };
    }
    this.writes.push(`create pod for ${pod.spec.containers[0]?.image} on ${pod.spec.nodeName}`);
    this.putPod({ ...pod, metadata: { ...pod.metadata, uid: `uid-of-${pod.metadata.name}` } });
    return { kind: 'created' };
  }

  async deletePod(ref: PodRef, uid: string): Promise<void> {
    if (this.pods.get(keyOf(ref))?.metadata.uid !== uid) return;
    this.writes.push(`delete pod on ${this.pods.get(keyOf(ref))?.spec.nodeName}`);
    this.pods.delete(keyOf(ref));
  }

  async readSidecarSet(name: string): Promise<SidecarSet | undefined> {
    return this.sidecarSets.get(name);
  }

  async writeSidecarSetStatus(sidecarSet: SidecarSet, status: SidecarSetStatus): Promise<WriteResult<SidecarSet>> {
    const name = sidecarSet.metadata.name ?? '';
    const stored = this.sidecarSets.get(name);
    if (stored === undefined) return { kind: 'gone' };
    if (stored.metadata.resourceVersion !== sidecarSet.metadata.resourceVersion) return { kind: 'conflict' };
    this.writes.push(`status of ${name}`);
    return { kind: 'written', object: this.put(this.sidecarSets, { ...stored, status }) };
  }

  async readEpoch(): Promise<number | undefined> {
    return this.epoch;
  }

  async listRevisions(sidecarSet: string): Promise<ControllerRevision[]> {
    return [...this.revisions.values()].filter(
      ({ metadata }) => metadata.labels?.['kruise.io/sidecarset-name'] === sidecarSet,
    );
  }

  async createRevision(revision: ControllerRevision): Promise<ControllerRevision | undefined> {
    if (this.revisions.has(keyOf(revision.metadata))) return undefined;
    this.writes.push(`create revision ${revision.revision}`);
    return this.put(this.revisions, revision);
  }

  async updateRevision(revision: ControllerRevision): Promise<WriteResult<ControllerRevision>> {
    const stored = this.revisions.get(keyOf(revision.metadata));
    if (stored === undefined) return { kind: 'gone' };
    if (stored.metadata.resourceVersion !== revision.metadata.resourceVersion) return { kind: 'conflict' };
    this.writes.push(`update revision to ${revision.revision}`);
    return { kind: 'written', object: this.put(this.revisions, revision) };
  }

  async deleteRevision(name: string): Promise<void> {
    for (const [key, { metadata }] of this.revisions) if (metadata.name === name) this.revisions.delete(key);
    this.writes.push('delete revision');
  }

  private nextVersion(): string {
    this.version += 1;
    return String(this.version);
  }
}

/** `app=shop:1 mesh-1=mesh:v1 mesh-2=empty:v1` */
export const imagesOf = (pod: Pod): string =>
  pod.spec.containers.map(({ name, image }) => `${name}=${image}`).join(' ');
