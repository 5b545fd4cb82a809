import { randomUUID } from 'node:crypto';
import { ApiError } from '../api-error.js';
import type { Versions } from '../crd/versions.js';
import { parseEntry } from '../entry.js';
import { readJson, sameJson } from '../json.js';
import type { Kinds } from '../kinds.js';
import { applyJsonPatch } from '../patch/json-patch.js';
import type { Store } from '../store.js';
import type { SimObject } from '../types.js';
import { type WebhookClient, WebhookFailure } from '../webhook-client.js';
import { type Subject, type Webhook, WebhookConfigurations, type WebhookType, wantedVersion } from './configuration.js';
import { denial, reviewRequest, type UserInfo } from './review.js';

/** A write on its way through the webhooks. */
export interface Attempt extends Omit<Subject, 'namespaceLabels'> {
  namespace: string | undefined;
  name: string;
  dryRun: boolean;
  user: UserInfo;
  options: Record<string, unknown>;
  /** Collects what webhooks want the client to read; sent as Warning headers. */
  warnings: string[];
}

interface AdmissionAnswer {
  response?: {
    uid?: string;
    allowed?: boolean;
    patch?: string;
    patchType?: string;
    warnings?: string[];
    status?: { message?: string; code?: number; reason?: string };
  };
}

const DEFAULT_TIMEOUT_SECONDS = 10;

/** Calls the admission webhooks that are configured, as an API server does (kubernetes.io, "Dynamic Admission Control"). */
export class Admission {
  private readonly configurations: WebhookConfigurations;

  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
    private readonly versions: Versions,
    private readonly client: WebhookClient,
    private readonly onCall: (hook: string, milliseconds: number) => void,
  ) {
    this.configurations = new WebhookConfigurations(store, kinds);
  }

  /** The object after every mutating webhook; those that ask for it see it again when a later one changed it. */
  async mutate(attempt: Attempt): Promise<SimObject> {
    const hooks = this.configurations.list('mutating');
    const object = await this.mutateOnce(hooks, attempt);
    const changed = !sameJson(object, attempt.object);
    const again = hooks.filter((hook) => hook.reinvocationPolicy === 'IfNeeded');
    return changed && again.length > 0 && hooks.length > 1 ? this.mutateOnce(again, { ...attempt, object }) : object;
  }

  async validate(attempt: Attempt): Promise<void> {
    const hooks = this.configurations.list('validating');
    await Promise.all(hooks.map((hook) => this.call(hook, 'validating', attempt)));
  }

  private async mutateOnce(hooks: readonly Webhook[], attempt: Attempt): Promise<SimObject> {
    let object = attempt.object as SimObject;
    for (const hook of hooks) object = (await this.call(hook, 'mutating', { ...attempt, object })) ?? object;
    return object;
  }

  /** The object as the webhook changed it; undefined when it was not asked, changed nothing, or failed where it may. */
  private async call(hook: Webhook, type: WebhookType, attempt: Attempt): Promise<SimObject | undefined> {
    const version = wantedVersion(
      hook,
      { ...attempt, namespaceLabels: this.namespaceLabels(attempt) },
      this.served(attempt),
    );
    if (version === undefined) return undefined;
    if (attempt.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
      throw new ApiError(400, 'BadRequest', `admission webhook "${hook.name}" does not support dry run`);
    }
    try {
      return await this.review(hook, type, attempt, version);
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error;
      if (hook.failurePolicy === 'Ignore') return undefined;
      throw failedCall(hook, error);
    }
  }

  private async review(
    hook: Webhook,
    type: WebhookType,
    attempt: Attempt,
    version: string,
  ): Promise<SimObject | undefined> {
    const uid = randomUUID();
    const inVersion = async (object: SimObject | undefined): Promise<SimObject | undefined> =>
      object && (await this.versions.convert(attempt.resource, [object], version))[0];
    const seen = { object: await inVersion(attempt.object), oldObject: await inVersion(attempt.oldObject), version };
    const seconds = hook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    const started = performance.now();
    const review = {
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: reviewRequest(uid, attempt, seen),
    };
    const answer = (await this.client.post(
      hook.clientConfig,
      review,
      seconds * 1000,
      `timeout=${seconds}s`,
    )) as AdmissionAnswer;
    this.onCall(hook.name, performance.now() - started);
    const response = answer.response;
    if (response?.uid !== uid) throw new WebhookFailure(`expected response.uid="${uid}", got "${response?.uid ?? ''}"`);
    for (const warning of response.warnings ?? []) attempt.warnings.push(warning);
    if (!response.allowed) throw denial(hook.name, response.status);
    if (type === 'validating' || !response.patch || !seen.object) return undefined;
    const patched = patchObject(seen.object, response.patch);
    return (await this.versions.convert(attempt.resource, [patched], attempt.resource.version))[0];
  }

  private served({ resource }: Attempt): string[] {
    const crd = this.kinds.crdOf(resource);
    return crd
      ? crd.spec.versions.filter((version) => version.served).map((version) => version.name)
      : [resource.version];
  }

  private namespaceLabels({ resource, namespace, object, oldObject }: Attempt): Record<string, string> | undefined {
    if (resource.builtin && resource.plural === 'namespaces') return (object ?? oldObject)?.metadata.labels ?? {};
    if (!resource.namespaced) return undefined;
    const namespaces = this.kinds.builtin('namespaces');
    const entry = this.store.of(namespaces).get(undefined, namespace ?? '');
    return entry ? (parseEntry(namespaces, entry.tail).metadata.labels ?? {}) : {};
  }
}

function patchObject(object: SimObject, patch: string): SimObject {
  try {
    const operations: unknown = readJson(Buffer.from(patch, 'base64').toString());
    return applyJsonPatch(structuredClone(object), operations) as SimObject;
  } catch (error) {
    const cause = error instanceof ApiError ? error.details?.causes?.[0]?.message : undefined;
    throw new ApiError(500, 'InternalError', `Internal error occurred: ${cause ?? (error as Error).message}`);
  }
}

const failedCall = (hook: Webhook, error: WebhookFailure): ApiError =>
  new ApiError(
    500,
    'InternalError',
    `Internal error occurred: failed calling webhook "${hook.name}": failed to call webhook: ${error.message}`,
  );
