import type { Admission, Attempt } from './admission/admission.js';
import type { Operation } from './admission/configuration.js';
import type { UserInfo } from './admission/review.js';
import { alreadyExists, badRequest, conflict, invalid, notFound } from './api-error.js';
import { dropUnknownFields, type FieldValidation, strategyOf } from './crd/custom-resources.js';
import type { Versions } from './crd/versions.js';
import { apiVersionOf, type Entry, parseEntry } from './entry.js';
import { printJson, readJson, sameJson } from './json.js';
import type { Kinds } from './kinds.js';
import { fillNewMeta, keepServerMeta, rfc3339, validateMeta } from './meta.js';
import type { Store } from './store.js';
import type { ResourceDefinition, SimObject } from './types.js';

/** Where and how something is to be written. */
export interface WriteTarget {
  resource: ResourceDefinition;
  namespace: string | undefined;
  name: string;
  subresource: string | undefined;
  dryRun: boolean;
  fieldValidation: FieldValidation;
  user: UserInfo;
  warnings: string[];
  /** CreateOptions, UpdateOptions, ... as the webhooks see them. */
  options: Record<string, unknown>;
}

/** JSON of what was written, in the version it was asked in. */
export interface Written {
  text: string;
  created: boolean;
}

const UPDATE_TRIES = 5;

/** Groups whose objects may not be replaced blindly; custom resources never may. */
const CONDITIONAL_GROUPS = new Set([
  'coordination.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'policy',
]);

const takesUnconditionalUpdates = ({ builtin, group }: ResourceDefinition): boolean =>
  builtin && !CONDITIONAL_GROUPS.has(group);

/** Create and update: decode, default, admit, validate, store, as the API server orders them. */
export class Writes {
  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
    private readonly versions: Versions,
    private readonly admission: Admission,
    private readonly onRemovable: (resource: ResourceDefinition, object: SimObject) => void,
  ) {}

  async create(target: WriteTarget, sent: SimObject): Promise<Written> {
    const { resource, namespace, warnings } = target;
    const strategy = strategyOf(this.kinds, resource);
    const given = this.decoded(target, sent);
    this.requireNamespace(resource, namespace);
    if (given.metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
    dropUnknownFields(this.kinds, resource, given, target.fieldValidation, warnings);
    strategy.default(given);
    strategy.admit?.(given);
    const object = await this.admission.mutate(this.attempt(target, 'CREATE', given, undefined));
    fillNewMeta(resource, object, namespace, new Date());
    strategy.default(object);
    strategy.prepareCreate(object);
    this.refuseInvalid(resource, object, [...validateMeta(object.metadata), ...strategy.validate(object)]);
    await this.admission.validate(this.attempt(target, 'CREATE', object, undefined));
    const stored = await this.toStorage(resource, object);
    if (this.store.of(resource).get(object.metadata.namespace, object.metadata.name)) {
      throw alreadyExists(resource, object.metadata.name);
    }
    if (target.dryRun) return { text: printJson(object), created: true };
    const entry = this.store.put(resource, stored);
    return { text: await this.versions.textOf(resource, entry), created: true };
  }

  /** A whole new object; most kinds want to know which version of it is replaced. */
  async replace(target: WriteTarget, sent: SimObject): Promise<Written> {
    const { resource, name } = target;
    if (!sent.metadata?.resourceVersion && !takesUnconditionalUpdates(resource)) {
      const message = 'Invalid value: 0: must be specified for an update';
      throw invalid(resource, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }]);
    }
    return this.update(target, () => structuredClone(sent));
  }

  /** Applies `change` to what is stored now. Without a resourceVersion of the client's, a lost race is run again. */
  async update(target: WriteTarget, change: (current: SimObject) => unknown): Promise<Written> {
    for (let attempt = 1; ; attempt += 1) {
      const entry = this.store.of(target.resource).get(target.namespace, target.name);
      if (!entry) throw notFound(target.resource, target.name);
      const written = await this.updateOnce(target, entry, change);
      if (written) return written;
      if (attempt === UPDATE_TRIES) throw conflict(target.resource, target.name);
    }
  }

  private async updateOnce(
    target: WriteTarget,
    entry: Entry,
    change: (current: SimObject) => unknown,
  ): Promise<Written | undefined> {
    const { resource, name } = target;
    const text = await this.versions.textOf(resource, entry);
    const old = readJson(text) as SimObject;
    const object = this.decoded(target, change(readJson(text) as SimObject));
    const asked = object.metadata.resourceVersion;
    if (asked && asked !== old.metadata.resourceVersion) throw conflict(resource, name);
    if (object.metadata.uid && object.metadata.uid !== old.metadata.uid)
      throw conflict(resource, name, uidDiffers(object, old));
    const admitted = await this.prepared(target, object, old);
    if (sameJson(admitted, old)) return { text, created: false };
    const stored = await this.toStorage(resource, admitted);
    if (target.dryRun) return { text: printJson(admitted), created: false };
    const now = this.store.of(resource).get(target.namespace, name);
    if (now !== entry) {
      if (!now) throw notFound(resource, name);
      // A resourceVersion that the client gave is seen not to match in the next attempt.
      return undefined;
    }
    const next = this.store.atomically(() => {
      const put = this.store.put(resource, stored);
      this.onRemovable(resource, stored);
      return put;
    });
    return { text: await this.versions.textOf(resource, next), created: false };
  }

  private async prepared(target: WriteTarget, object: SimObject, old: SimObject): Promise<SimObject> {
    const { resource, subresource, warnings } = target;
    const strategy = strategyOf(this.kinds, resource);
    const prepare = (changed: SimObject): void => {
      strategy.default(changed);
      keepServerMeta(changed, old);
      changed.metadata.resourceVersion = old.metadata.resourceVersion as string;
      if (subresource === 'status') strategy.prepareStatusUpdate(changed, old);
      else strategy.prepareUpdate(changed, old);
    };
    dropUnknownFields(this.kinds, resource, object, target.fieldValidation, warnings);
    strategy.default(object);
    keepServerMeta(object, old);
    const admitted = await this.admission.mutate(this.attempt(target, 'UPDATE', object, old));
    prepare(admitted);
    const causes = [...validateMeta(admitted.metadata), ...strategy.validate(admitted)];
    this.refuseInvalid(
      resource,
      admitted,
      subresource === 'status' ? causes : [...causes, ...strategy.validateUpdate(admitted, old)],
    );
    await this.admission.validate(this.attempt(target, 'UPDATE', admitted, old));
    return admitted;
  }

  /** In the version it is stored in, with the defaults of that version. */
  private async toStorage(resource: ResourceDefinition, object: SimObject): Promise<SimObject> {
    if (resource.version === resource.storageVersion) return object;
    const storage = this.kinds.inVersion(resource, resource.storageVersion);
    const [stored] = (await this.versions.convert(resource, [object], storage.version)) as [SimObject];
    strategyOf(this.kinds, storage).default(stored);
    return stored;
  }

  /** The stored object in the version of the request. */
  async current(resource: ResourceDefinition, entry: Entry): Promise<SimObject> {
    return readJson(await this.versions.textOf(resource, entry)) as SimObject;
  }

  /** Marks an object as being deleted, for the sake of a grace period or a finalizer. */
  markDeleted(resource: ResourceDefinition, object: SimObject, graceSeconds: number): Entry {
    const now = new Date(Date.now() + graceSeconds * 1000);
    object.metadata.deletionTimestamp = rfc3339(now);
    object.metadata.deletionGracePeriodSeconds = graceSeconds;
    if (object.metadata.generation !== undefined) object.metadata.generation += 1;
    return this.store.put(resource, object);
  }

  attempt(
    target: WriteTarget,
    operation: Operation,
    object: SimObject | undefined,
    oldObject: SimObject | undefined,
  ): Attempt {
    const { resource, subresource, namespace, dryRun, user, options, warnings } = target;
    const name = target.name || (object?.metadata.name ?? '');
    return { resource, subresource, namespace, name, dryRun, user, options, warnings, operation, object, oldObject };
  }

  private decoded(target: WriteTarget, sent: unknown): SimObject {
    const { resource, namespace, name } = target;
    const object = sent as SimObject;
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
      throw badRequest('the object provided is unrecognized (must be of type JSON object)');
    object.apiVersion ??= apiVersionOf(resource);
    object.kind ??= resource.kind;
    object.metadata ??= { name: '' };
    if (object.apiVersion !== apiVersionOf(resource) || object.kind !== resource.kind) {
      const expected = `${apiVersionOf(resource)}, Kind=${resource.kind}`;
      throw badRequest(
        `the API version in the data (${object.apiVersion}, Kind=${object.kind}) does not match the expected API version (${expected})`,
      );
    }
    if (name && object.metadata.name && object.metadata.name !== name) {
      throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
    }
    if (resource.namespaced && object.metadata.namespace && object.metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    if (resource.namespaced && namespace) object.metadata.namespace = namespace;
    return object;
  }

  private requireNamespace(resource: ResourceDefinition, namespace: string | undefined): void {
    if (!resource.namespaced) return;
    const namespaces = this.kinds.builtin('namespaces');
    if (!this.store.of(namespaces).get(undefined, namespace ?? '')) throw notFound(namespaces, namespace ?? '');
  }

  private refuseInvalid(resource: ResourceDefinition, object: SimObject, causes: Parameters<typeof invalid>[2]): void {
    if (causes.length > 0) throw invalid(resource, object.metadata.name ?? '', causes);
  }
}

const uidDiffers = (object: SimObject, old: SimObject): string =>
  `Precondition failed: UID in precondition: ${object.metadata.uid}, UID in object meta: ${old.metadata.uid}`;

/** The stored object as it is, for writers that need no conversion. */
export const storedObject = (resource: ResourceDefinition, entry: Entry): SimObject =>
  parseEntry({ ...resource, version: resource.storageVersion }, entry.tail);
