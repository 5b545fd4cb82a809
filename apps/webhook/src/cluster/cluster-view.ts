import {
  type ControllerRevision,
  KRUISE,
  type RevisionLookup,
  type SidecarSet,
  SidecarSetIndex,
  Whitelist,
} from '@sidestep/core';
import {
  type KubeApi,
  type KubeObject,
  objectKey,
  Reflector,
  type ReflectorEvent,
  type ResourceKind,
  Store,
} from '@sidestep/kube';
import { CONFIG_MAP, CONTROLLER_REVISION, NAMESPACE, SIDECAR_SET } from './kinds.js';
import { asRevision, asSidecarSet } from './trim.js';

export interface ClusterViewOptions {
  api: KubeApi;
  /** Where ControllerRevisions and the white list are. */
  namespace: string;
  onEvent: (resource: string, event: ReflectorEvent) => void;
  /** The number of objects of a resource changed. */
  onSize: (resource: string, size: number) => void;
  /** An object that could not be taken in; the one before it stays in use. */
  onProblem: (error: unknown) => void;
}

/** What admission knows of the cluster, all of it in memory. */
export class ClusterView {
  readonly sidecarSets = new SidecarSetIndex();
  readonly revisions: RevisionLookup;
  readonly #namespace: string;
  readonly #sets: Reflector<SidecarSet>;
  readonly #namespaces: Reflector<Record<string, string>>;
  readonly #revisions: Reflector<ControllerRevision>;
  readonly #configuration: Reflector<{ whitelist: Whitelist | undefined }>;

  constructor(options: ClusterViewOptions) {
    const { namespace } = options;
    this.#namespace = namespace;
    const sets = new Store<SidecarSet>({ onListenerError: options.onProblem });
    const revisions = new Store<ControllerRevision>({ indexes: { set: ({ metadata }) => ownersOf(metadata.labels) } });
    const list = { namespace, fieldSelector: `metadata.name=${KRUISE.whitelistConfigMap}` };
    const history = { namespace, labelSelector: KRUISE.revisionSidecarSetName };
    this.#sets = reflect(options, SIDECAR_SET, asSidecarSet, sets);
    this.#namespaces = reflect(options, NAMESPACE, ({ metadata }) => metadata.labels ?? {}, new Store());
    this.#revisions = reflect(options, CONTROLLER_REVISION, asRevision, revisions, history);
    this.#configuration = reflect(options, CONFIG_MAP, whitelistOf, new Store(), list);
    this.revisions = { byName: (name) => revisions.get(`${namespace}/${name}`), byCustomVersion: newestOf(revisions) };
    sets.subscribe((change) => {
      if (change.type === 'deleted') this.sidecarSets.remove(change.key);
      else this.sidecarSets.upsert(change.object);
    });
  }

  start(): void {
    for (const reflector of this.#reflectors()) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors().map((reflector) => reflector.stop()));
  }

  /** Resolves when everything was listed once. */
  async synced(): Promise<void> {
    await Promise.all(this.#reflectors().map((reflector) => reflector.synced()));
  }

  /** What is not in memory yet; empty when admission can answer. */
  missing(): string[] {
    const all = {
      sidecarsets: this.#sets,
      namespaces: this.#namespaces,
      controllerrevisions: this.#revisions,
      configmaps: this.#configuration,
    };
    return Object.entries(all).flatMap(([name, reflector]) => (reflector.hasSynced ? [] : [name]));
  }

  listSidecarSets(): SidecarSet[] {
    return [...this.#sets.store.values()];
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined {
    return this.#namespaces.store.get(name);
  }

  /** Which annotations SidecarSets may patch; `undefined` when nobody said. */
  whitelist(): Whitelist | undefined {
    const key = objectKey({ namespace: this.#namespace, name: KRUISE.whitelistConfigMap });
    return this.#configuration.store.get(key)?.whitelist;
  }

  /**
   * Resolves once the namespace is in memory, or after `ms`: pods are often created in the same breath as their namespace, and
   * its watch event may be a moment behind.
   */
  async namespaceKnown(name: string, ms: number): Promise<void> {
    if (this.#namespaces.store.has(name)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => done(), ms);
      const leave = this.#namespaces.store.subscribe(({ key }) => key === name && done());
      const done = () => {
        clearTimeout(timer);
        leave();
        resolve();
      };
    });
  }

  #reflectors() {
    return [this.#sets, this.#namespaces, this.#revisions, this.#configuration];
  }
}

function reflect<T>(
  { api, onEvent, onSize }: ClusterViewOptions,
  kind: ResourceKind,
  transform: (object: KubeObject) => T,
  store: Store<T>,
  scope: { namespace?: string; fieldSelector?: string; labelSelector?: string } = {},
): Reflector<T> {
  store.subscribe(() => onSize(kind.plural, store.size));
  return new Reflector<T>({ api, kind, transform, store, ...scope, onEvent: (event) => onEvent(kind.plural, event) });
}

const whitelistOf = ({ data }: KubeObject) => ({
  whitelist: Whitelist.parse(data as Record<string, string> | undefined),
});

function ownersOf(labels: Record<string, string> | undefined): string[] {
  const name = labels?.[KRUISE.revisionSidecarSetName];
  return name === undefined ? [] : [name];
}

/** The newest revision of a SidecarSet with a custom version. */
const newestOf =
  (revisions: Store<ControllerRevision>) =>
  (sidecarSet: string, version: string): ControllerRevision | undefined => {
    let newest: ControllerRevision | undefined;
    for (const revision of revisions.by('set', sidecarSet)) {
      if (revision.metadata.labels?.[KRUISE.customVersion] !== version) continue;
      if (newest === undefined || revision.revision > newest.revision) newest = revision;
    }
    return newest;
  };
