import { parseEntry } from '../entry.js';
import type { Kinds, WebhookClientConfig } from '../kinds.js';
import { matchesSelectorObject } from '../selectors.js';
import type { Store } from '../store.js';
import type { ResourceDefinition, SimObject } from '../types.js';

type SelectorObject = NonNullable<Parameters<typeof matchesSelectorObject>[0]>;

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE';

interface Rule {
  apiGroups: string[];
  apiVersions: string[];
  operations: string[];
  resources: string[];
  scope?: string;
}

/** One webhook of a Mutating- or ValidatingWebhookConfiguration. */
export interface Webhook {
  name: string;
  clientConfig: WebhookClientConfig;
  rules?: Rule[];
  failurePolicy?: 'Fail' | 'Ignore';
  matchPolicy?: 'Exact' | 'Equivalent';
  namespaceSelector?: SelectorObject;
  objectSelector?: SelectorObject;
  timeoutSeconds?: number;
  reinvocationPolicy?: 'Never' | 'IfNeeded';
  sideEffects?: string;
}

export type WebhookType = 'mutating' | 'validating';

/** Reads the webhook configurations, again only after one of them was written. */
export class WebhookConfigurations {
  private readonly hooks: Partial<Record<WebhookType, Webhook[]>> = {};

  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
  ) {
    for (const type of ['mutating', 'validating'] as const) {
      this.store.of(this.resource(type)).subscribe(() => delete this.hooks[type]);
    }
  }

  /** By name of the configuration, then in the order written, as the API server calls them. */
  list(type: WebhookType): Webhook[] {
    const resource = this.resource(type);
    this.hooks[type] ??= this.store
      .of(resource)
      .list()
      .flatMap((entry) => (parseEntry(resource, entry.tail).webhooks ?? []) as Webhook[]);
    return this.hooks[type];
  }

  private resource(type: WebhookType): ResourceDefinition {
    return this.kinds.builtin(`${type}webhookconfigurations`);
  }
}

export interface Subject {
  resource: ResourceDefinition;
  subresource: string | undefined;
  operation: Operation;
  object: SimObject | undefined;
  oldObject: SimObject | undefined;
  /** Labels of the object's namespace; of the object itself if it is a namespace; undefined for other cluster-scoped objects. */
  namespaceLabels: Record<string, string> | undefined;
}

/** The version of the resource to call the webhook with; undefined when it does not want this request. */
export function wantedVersion(hook: Webhook, subject: Subject, servedVersions: readonly string[]): string | undefined {
  if (subject.namespaceLabels !== undefined && !matchesSelectorObject(hook.namespaceSelector, subject.namespaceLabels))
    return undefined;
  const labels = [subject.object, subject.oldObject]
    .filter((object) => object !== undefined)
    .map((object) => object.metadata.labels ?? {});
  if (!labels.some((set) => matchesSelectorObject(hook.objectSelector, set))) return undefined;
  const rules = (hook.rules ?? []).filter((rule) => ruleMatches(rule, subject));
  const takes = (version: string): boolean => rules.some((rule) => has(rule.apiVersions, version));
  if (takes(subject.resource.version)) return subject.resource.version;
  return hook.matchPolicy === 'Exact' ? undefined : servedVersions.find(takes);
}

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

function ruleMatches(rule: Rule, { resource, subresource, operation }: Subject): boolean {
  const name = subresource ? `${resource.plural}/${subresource}` : resource.plural;
  const wildcards = subresource ? ['*/*', `${resource.plural}/*`, `*/${subresource}`] : ['*', '*/*'];
  const inScope =
    rule.scope === undefined || rule.scope === '*' || (rule.scope === 'Namespaced') === resource.namespaced;
  return (
    inScope &&
    has(rule.operations, operation) &&
    has(rule.apiGroups, resource.group) &&
    (rule.resources.includes(name) || wildcards.some((wildcard) => rule.resources.includes(wildcard)))
  );
}
