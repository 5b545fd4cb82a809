import type { IncomingMessage } from 'node:http';
import { Admission } from './admission/admission.js';
import type { UserInfo } from './admission/review.js';
import { badRequest } from './api-error.js';
import type { FieldValidation } from './crd/custom-resources.js';
import { Versions } from './crd/versions.js';
import { type DeleteOptions, Deletes } from './deletes.js';
import type { SavedState } from './durable/records.js';
import { parseBody, type ResourceRequest, readBody } from './http/request.js';
import { printJson } from './json.js';
import { type CrdObject, Kinds } from './kinds.js';
import { Patches } from './patch/patches.js';
import { Reads } from './reads.js';
import { Store } from './store.js';
import type { SimObject } from './types.js';
import { WebhookClient } from './webhook-client.js';
import { storedObject, Writes, type WriteTarget } from './writes.js';

/** What is answered: the status and the JSON text. */
export interface ApiAnswer {
  code: number;
  text: string;
}

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Everything behind the HTTP surface: one store, and the verbs on it. */
export class Api {
  readonly kinds = new Kinds();
  readonly store: Store;
  readonly webhooks: WebhookClient;
  readonly versions: Versions;
  readonly reads: Reads;
  private readonly writes: Writes;
  private readonly deletes: Deletes;
  private readonly patches: Patches;

  constructor(historyLimit: number, services: Record<string, string>, onWebhookCall: (hook: string) => void) {
    this.store = new Store(historyLimit);
    this.webhooks = new WebhookClient(services);
    this.versions = new Versions(this.kinds, this.webhooks);
    this.reads = new Reads(this.store, this.kinds, this.versions);
    const admission = new Admission(this.store, this.kinds, this.versions, this.webhooks, onWebhookCall);
    this.deletes = new Deletes(this.store, this.kinds, admission, () => this.writes);
    this.writes = new Writes(this.store, this.kinds, this.versions, admission, (resource, object) =>
      this.deletes.removeIfFinished(resource, object),
    );
    this.patches = new Patches(this.store, this.kinds, this.writes);
    this.followDefinitions();
    this.followNamespaces();
  }

  /** What every server has before anybody wrote to it, and what the one before it left. Its first clients cannot resume from before that. */
  async bootstrap(saved: SavedState | undefined): Promise<void> {
    if (saved) await this.restore(saved);
    for (const name of NAMESPACES) {
      await this.createMissing({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    this.store.compactAll();
  }

  /** Creates an object of any kind known so far, as a client would, unless it is there. */
  async createMissing(object: SimObject): Promise<void> {
    const [group, version] = object.apiVersion.includes('/')
      ? (object.apiVersion.split('/') as [string, string])
      : ['', object.apiVersion];
    const resource = this.kinds.findKind(group, version, object.kind);
    if (!resource) throw badRequest(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
    const namespace = resource.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
    if (this.store.of(resource).get(namespace, object.metadata.name)) return;
    const request: ResourceRequest = {
      verb: 'create',
      resource,
      namespace,
      name: undefined,
      subresource: undefined,
      query: new URLSearchParams(),
    };
    await this.writes.create(this.target(request, 'kube-sim', []), object);
  }

  async write(request: ResourceRequest, message: IncomingMessage, warnings: string[]): Promise<ApiAnswer> {
    const text = await readBody(message);
    const contentType = message.headers['content-type'] ?? 'application/json';
    const body = parseBody(text, contentType);
    const target = this.target(request, userOf(message), warnings);
    switch (request.verb) {
      case 'create': {
        const { text: created } = await this.writes.create(target, required(body) as SimObject);
        return { code: 201, text: created };
      }
      case 'update':
        return ok(await this.writes.replace(target, required(body) as SimObject));
      case 'patch':
        return ok(
          await this.patches.patch(target, contentType, required(body), request.query.get('fieldManager') ?? ''),
        );
      default:
        return this.delete(target, request, deleteOptions(request, body as DeleteOptions | undefined));
    }
  }

  private delete(target: WriteTarget, request: ResourceRequest, options: DeleteOptions): Promise<ApiAnswer> {
    // Where kubectl says it: in the body, unlike with every other verb.
    const asked = { ...target, dryRun: target.dryRun || options.dryRun?.includes('All') === true };
    return request.verb === 'delete' ? this.remove(asked, options) : this.removeAll(asked, request, options);
  }

  private async remove(target: WriteTarget, options: DeleteOptions): Promise<ApiAnswer> {
    const { object, gone } = await this.deletes.remove(target, options);
    const { resource } = target;
    if (!gone || resource.plural === 'pods') return { code: 200, text: printJson(object) };
    const details = {
      name: target.name,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.plural,
      uid: object.metadata.uid,
    };
    return {
      code: 200,
      text: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }),
    };
  }

  private async removeAll(target: WriteTarget, request: ResourceRequest, options: DeleteOptions): Promise<ApiAnswer> {
    for (const entry of this.reads.matching(request)) {
      const one = { ...target, namespace: entry.namespace || undefined, name: entry.name };
      await this.deletes.remove(one, options);
    }
    return { code: 200, text: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }) };
  }

  private target(request: ResourceRequest, username: string, warnings: string[]): WriteTarget {
    const { resource, namespace, name = '', subresource, query } = request;
    const fieldManager = query.get('fieldManager');
    return {
      resource,
      namespace,
      name,
      subresource,
      dryRun: query.get('dryRun') === 'All',
      fieldValidation: (query.get('fieldValidation') as FieldValidation | null) ?? 'Warn',
      user: userInfo(username),
      warnings,
      options: {
        kind: OPTIONS_KIND[request.verb] ?? 'UpdateOptions',
        apiVersion: 'meta.k8s.io/v1',
        ...(fieldManager ? { fieldManager } : {}),
      },
    };
  }

  private followDefinitions(): void {
    const crds = this.kinds.builtin('customresourcedefinitions');
    this.store.of(crds).subscribe(({ type, entry }) => {
      const crd = storedObject(crds, entry) as CrdObject;
      if (type === 'DELETED') {
        this.kinds.uninstall(crd);
        const plural = { group: crd.spec.group, plural: crd.spec.names.plural };
        this.store.forget(plural);
      } else this.kinds.install(crd);
    });
  }

  private async restore(saved: SavedState): Promise<void> {
    this.store.restore(saved);
    const crds = this.kinds.builtin('customresourcedefinitions');
    for (const entry of this.store.of(crds).list()) this.kinds.install(storedObject(crds, entry) as CrdObject);
    // A server that died between the two left a namespace without one.
    for (const { name } of this.store.of(this.kinds.builtin('namespaces')).list()) await this.createAccount(name);
  }

  private followNamespaces(): void {
    const namespaces = this.kinds.builtin('namespaces');
    this.store.of(namespaces).subscribe(({ type, entry }) => {
      if (type === 'ADDED') void this.createAccount(entry.name).catch(() => undefined);
    });
  }

  /** Every namespace has its default service account, as with a running controller manager. */
  private createAccount(namespace: string): Promise<void> {
    return this.createMissing({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  }
}

const OPTIONS_KIND: Partial<Record<ResourceRequest['verb'], string>> = {
  create: 'CreateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
};

const ok = (written: { text: string; created: boolean }): ApiAnswer => ({
  code: written.created ? 201 : 200,
  text: written.text,
});

function required(body: unknown): unknown {
  if (body === undefined) throw badRequest('the body of the request is empty');
  return body;
}

function deleteOptions({ query }: ResourceRequest, body: DeleteOptions | undefined): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  return { ...(body ?? {}), ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }) };
}

/** Nobody is refused; a bearer token is taken for the user's name, so that webhooks and tests can tell clients apart. Impersonation counts, as in a real server. */
function userOf({ headers }: IncomingMessage): string {
  const impersonated = headers['impersonate-user'];
  if (typeof impersonated === 'string') return impersonated;
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? 'kube-sim:anonymous';
}

function userInfo(username: string): UserInfo {
  const [, , namespace] = username.split(':');
  const account = username.startsWith('system:serviceaccount:');
  const groups = account ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] : ['system:masters'];
  return { username, groups: [...groups, 'system:authenticated'] };
}
