import type { Admission } from './admission/admission.js';
import { conflict, notFound } from './api-error.js';
import type { Entry } from './entry.js';
import type { Kinds } from './kinds.js';
import type { Store } from './store.js';
import type { ResourceDefinition, SimObject } from './types.js';
import { storedObject, type Writes, type WriteTarget } from './writes.js';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: string;
  dryRun?: string[];
}

export interface Deleted {
  object: SimObject;
  /** False while a grace period or a finalizer keeps it. */
  gone: boolean;
}

/** Removal: grace periods of pods, finalizers, and what goes with an owner, a namespace or a definition. */
export class Deletes {
  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
    private readonly admission: Admission,
    private readonly writes: () => Writes,
  ) {}

  async remove(target: WriteTarget, options: DeleteOptions): Promise<Deleted> {
    const { resource, namespace, name } = target;
    const entry = this.store.of(resource).get(namespace, name);
    if (!entry) throw notFound(resource, name);
    const old = await this.writes().current(resource, entry);
    checkPreconditions(resource, old, options);
    const attempt = this.writes().attempt(target, 'DELETE', undefined, old);
    await this.admission.mutate({ ...attempt, object: undefined });
    await this.admission.validate(attempt);
    const now = this.store.of(resource).get(namespace, name);
    if (!now) throw notFound(resource, name);
    if (target.dryRun) return { object: old, gone: !isHeld(old, graceOf(resource, old, options)) };
    return this.removeEntry(resource, now, options);
  }

  /** After every write: an object that only waited for its last finalizer goes. */
  removeIfFinished(resource: ResourceDefinition, object: SimObject): void {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers, namespace, name } = object.metadata;
    if (!deletionTimestamp || (finalizers?.length ?? 0) > 0 || (deletionGracePeriodSeconds ?? 0) > 0) return;
    const entry = this.store.of(resource).get(namespace, name);
    if (entry) this.finish(resource, storedObject(resource, entry));
  }

  private removeEntry(resource: ResourceDefinition, entry: Entry, options: DeleteOptions): Deleted {
    const object = storedObject(resource, entry);
    const grace = graceOf(resource, object, options);
    if (!isHeld(object, grace)) {
      this.finish(resource, object);
      return { object, gone: true };
    }
    const before = object.metadata.deletionGracePeriodSeconds;
    const known = object.metadata.deletionTimestamp !== undefined && (before ?? 0) <= grace;
    if (!known) this.writes().markDeleted(resource, object, grace);
    return { object, gone: false };
  }

  private finish(resource: ResourceDefinition, object: SimObject): void {
    this.store.atomically(() => {
      this.store.remove(resource, object);
      if (resource.builtin && resource.plural === 'namespaces') this.emptyNamespace(object.metadata.name);
      this.collectDependents(object.metadata.uid ?? '');
    });
  }

  private emptyNamespace(namespace: string): void {
    for (const resource of this.storedResources()) {
      if (!resource.namespaced) continue;
      for (const entry of this.store.of(resource).list(namespace)) this.finish(resource, storedObject(resource, entry));
    }
  }

  /** Background garbage collection: whoever has no owner left goes too. */
  private collectDependents(uid: string): void {
    for (const resource of this.storedResources()) {
      for (const entry of [...this.store.of(resource).values()]) {
        if (!entry.ownerUids.includes(uid) || entry.ownerUids.length > 1) continue;
        this.removeEntry(resource, entry, {});
      }
    }
  }

  /** Every resource once, whatever number of versions it is served in. */
  private storedResources(): ResourceDefinition[] {
    return this.kinds
      .all()
      .filter(
        (one, index, all) =>
          all.findIndex((other) => other.group === one.group && other.plural === one.plural) === index,
      );
  }
}

const isHeld = ({ metadata }: SimObject, grace: number): boolean => grace > 0 || (metadata.finalizers?.length ?? 0) > 0;

/** Pods get their grace period once they are bound to a node; the node confirms with grace 0. Nothing else has one. */
function graceOf(resource: ResourceDefinition, object: SimObject, options: DeleteOptions): number {
  if (resource.group !== '' || resource.plural !== 'pods') return 0;
  const spec = (object.spec ?? {}) as { nodeName?: string; terminationGracePeriodSeconds?: number };
  const phase = (object.status as { phase?: string } | undefined)?.phase;
  if (!spec.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  return Math.max(0, options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30);
}

function checkPreconditions(resource: ResourceDefinition, object: SimObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion, name } = object.metadata;
  if (preconditions?.uid && preconditions.uid !== uid) {
    throw conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`,
    );
  }
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion) {
    const both = `ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    throw conflict(resource, name, `Precondition failed: ${both}`);
  }
}
