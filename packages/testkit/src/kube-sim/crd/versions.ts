import { randomUUID } from 'node:crypto';
import { ApiError } from '../api-error.js';
import { apiVersionOf, type Entry, parseEntry, withKind } from '../entry.js';
import { printJson } from '../json.js';
import type { Kinds } from '../kinds.js';
import type { ResourceDefinition, SimObject } from '../types.js';
import { type WebhookClient, WebhookFailure } from '../webhook-client.js';

const CONVERSION_TIMEOUT_MS = 30_000;

interface ConversionAnswer {
  response?: {
    uid?: string;
    convertedObjects?: SimObject[];
    result?: { status?: string; message?: string };
  };
}

/** Moves custom resources between their versions: by relabelling, or by the webhook that the definition names. */
export class Versions {
  /** Converted text by stored version: an entry never changes, so its conversion does not either. */
  private readonly cache = new WeakMap<Entry, Map<string, string>>();

  constructor(
    private readonly kinds: Kinds,
    private readonly client: WebhookClient,
  ) {}

  /** Objects of one resource, each in whatever version it says, in `version`. */
  async convert(resource: ResourceDefinition, objects: SimObject[], version: string): Promise<SimObject[]> {
    const wanted = apiVersionOf({ group: resource.group, version });
    const foreign = objects.filter((object) => object.apiVersion !== wanted);
    if (foreign.length === 0) return objects;
    const converted = await this.ask(resource, foreign, wanted);
    let next = 0;
    return objects.map((object) => {
      if (object.apiVersion === wanted) return object;
      next += 1;
      return converted[next - 1] as SimObject;
    });
  }

  /** JSON of an entry in the version of `resource`. */
  textOf(resource: ResourceDefinition, entry: Entry): string | Promise<string> {
    const known = this.knownText(resource, entry);
    return known ?? this.textsOf(resource, [entry]).then((texts) => texts[0] as string);
  }

  /** As `textOf` for many, with one call of the webhook for all that are not known yet. */
  async textsOf(resource: ResourceDefinition, entries: readonly Entry[]): Promise<string[]> {
    const unknown = entries.filter((entry) => this.knownText(resource, entry) === undefined);
    if (unknown.length > 0) {
      const stored = this.kinds.inVersion(resource, resource.storageVersion);
      const objects = unknown.map((entry) => parseEntry(stored, entry.tail));
      const converted = await this.convert(resource, objects, resource.version);
      for (const [index, object] of converted.entries()) this.remember(resource, unknown[index] as Entry, object);
    }
    return entries.map((entry) => this.knownText(resource, entry) as string);
  }

  private knownText(resource: ResourceDefinition, entry: Entry): string | undefined {
    const same = resource.version === resource.storageVersion || !this.hasWebhook(resource);
    return same ? withKind(resource, entry.tail) : this.cache.get(entry)?.get(resource.version);
  }

  private remember(resource: ResourceDefinition, entry: Entry, object: SimObject): void {
    const { apiVersion: _version, kind: _kind, ...rest } = object;
    const texts = this.cache.get(entry) ?? new Map<string, string>();
    texts.set(resource.version, withKind(resource, printJson(rest).slice(1)));
    this.cache.set(entry, texts);
  }

  private hasWebhook(resource: ResourceDefinition): boolean {
    return this.kinds.crdOf(resource)?.spec.conversion?.strategy === 'Webhook';
  }

  private async ask(
    resource: ResourceDefinition,
    objects: SimObject[],
    desiredAPIVersion: string,
  ): Promise<SimObject[]> {
    const config = this.kinds.crdOf(resource)?.spec.conversion?.webhook?.clientConfig;
    if (!this.hasWebhook(resource)) return objects.map((object) => ({ ...object, apiVersion: desiredAPIVersion }));
    const uid = randomUUID();
    const request = { uid, desiredAPIVersion, objects };
    try {
      const review = { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', request };
      const answer = (await this.client.post(config ?? {}, review, CONVERSION_TIMEOUT_MS)) as ConversionAnswer;
      return checked(answer, objects, uid).map((object, index) => keepMeta(object, objects[index] as SimObject));
    } catch (error) {
      if (!(error instanceof WebhookFailure)) throw error;
      const message = `conversion webhook for ${objects[0]?.apiVersion}, Kind=${resource.kind} failed: ${error.message}`;
      throw new ApiError(500, 'InternalError', message);
    }
  }
}

function checked({ response }: ConversionAnswer, objects: SimObject[], uid: string): SimObject[] {
  if (response?.uid !== uid) throw new WebhookFailure('the answer has another uid than the request');
  if (response.result?.status !== 'Success') throw new WebhookFailure(response.result?.message ?? 'no message');
  const converted = response.convertedObjects ?? [];
  if (converted.length !== objects.length)
    throw new WebhookFailure(`expected ${objects.length} converted objects, got ${converted.length}`);
  return converted;
}

/** A webhook may change labels and annotations; all other metadata stays what it was. */
const keepMeta = (converted: SimObject, original: SimObject): SimObject => {
  const { labels, annotations } = converted.metadata ?? {};
  const { labels: _labels, annotations: _annotations, ...rest } = original.metadata;
  return {
    ...converted,
    metadata: { ...rest, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
  };
};
