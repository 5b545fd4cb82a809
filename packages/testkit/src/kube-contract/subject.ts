import type { KubeApi, KubeObject, ResourceKind, WatchEvent, WatchOptions } from '@sidestep/kube';
import { KubeError } from '@sidestep/kube';

/** An API server to hold to the contract. */
export interface ApiServerUnderTest {
  /** As a user who may do everything. */
  api: KubeApi;
  /** With its default service account, so that pods can be made in it. */
  createNamespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** What a part of the suite works with. */
export interface Subject {
  readonly api: KubeApi;
  /** A namespace nobody else uses. */
  newNamespace(): Promise<string>;
}

const kind = (group: string, version: string, plural: string, name: string, namespaced = true): ResourceKind => ({
  group,
  version,
  plural,
  kind: name,
  namespaced,
});

export const PODS = kind('', 'v1', 'pods', 'Pod');
export const CONFIG_MAPS = kind('', 'v1', 'configmaps', 'ConfigMap');
export const SECRETS = kind('', 'v1', 'secrets', 'Secret');
export const EVENTS = kind('', 'v1', 'events', 'Event');
export const NODES = kind('', 'v1', 'nodes', 'Node', false);
export const LEASES = kind('coordination.k8s.io', 'v1', 'leases', 'Lease');
export const REVISIONS = kind('apps', 'v1', 'controllerrevisions', 'ControllerRevision');
export const CRDS = kind('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', false);
export const MUTATING = kind(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
);
export const VALIDATING = kind(
  'admissionregistration.k8s.io',
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
);

/** A ConfigMap, the plainest object there is. */
export const configMap = (namespace: string, name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** How a call was refused; throws when it was not. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ status: number; reason: string; message: string; body: unknown }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof KubeError)
      return { status: error.status, reason: error.reason, message: error.message, body: error.body };
    throw error;
  }
  throw new Error('the call was not refused');
}

/** Against a wait without end, not a slow machine. */
const DEADLINE_MS = 60_000;

/** Resolves once `probe` gives something; rejects with `what` after the deadline. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A watch that runs beside the test. */
export class Watching {
  readonly events: WatchEvent<KubeObject>[] = [];
  readonly ended: Promise<unknown>;
  private readonly abort = new AbortController();

  constructor(api: KubeApi, resource: ResourceKind, options: WatchOptions) {
    this.ended = this.run(api, resource, options);
  }

  /** Type and name of what came, bookmarks left out. */
  seen(): string[] {
    return this.events
      .filter(({ type }) => type !== 'BOOKMARK')
      .map(({ type, object }) => `${type} ${object.metadata.name}`);
  }

  saw(...wanted: string[]): Promise<true> {
    const came = (): true | undefined => (wanted.every((one) => this.seen().includes(one)) ? true : undefined);
    return eventually(`${wanted.join(', ')} (saw ${this.seen().join(', ') || 'nothing'})`, came);
  }

  stop(): Promise<unknown> {
    this.abort.abort();
    return this.ended;
  }

  /** Resolves with the error that ended the watch, or with undefined. */
  private async run(api: KubeApi, resource: ResourceKind, options: WatchOptions): Promise<unknown> {
    try {
      for await (const event of api.watch<KubeObject>(resource, options, this.abort.signal)) this.events.push(event);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
