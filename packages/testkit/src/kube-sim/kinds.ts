import { resourceId } from './entry.js';
import type { ResourceDefinition, SimObject } from './types.js';

type Row = [group: string, version: string, plural: string, kind: string, flags: string, shortNames?: string];

/** Built-in kinds. Flags: n = namespaced, s = has a status subresource, a = in the category `all`. */
const ROWS: Row[] = [
  ['', 'v1', 'pods', 'Pod', 'nsa', 'po'],
  ['', 'v1', 'namespaces', 'Namespace', 's', 'ns'],
  ['', 'v1', 'nodes', 'Node', 's', 'no'],
  ['', 'v1', 'configmaps', 'ConfigMap', 'n', 'cm'],
  ['', 'v1', 'secrets', 'Secret', 'n'],
  ['', 'v1', 'serviceaccounts', 'ServiceAccount', 'n', 'sa'],
  ['', 'v1', 'services', 'Service', 'nsa', 'svc'],
  ['', 'v1', 'events', 'Event', 'n', 'ev'],
  ['apps', 'v1', 'deployments', 'Deployment', 'nsa', 'deploy'],
  ['apps', 'v1', 'replicasets', 'ReplicaSet', 'nsa', 'rs'],
  ['apps', 'v1', 'statefulsets', 'StatefulSet', 'nsa', 'sts'],
  ['apps', 'v1', 'daemonsets', 'DaemonSet', 'nsa', 'ds'],
  ['apps', 'v1', 'controllerrevisions', 'ControllerRevision', 'n'],
  ['batch', 'v1', 'jobs', 'Job', 'nsa'],
  ['policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', 'ns', 'pdb'],
  ['networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', 'n', 'netpol'],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', 'n'],
  ['scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', '', 'pc'],
  ['rbac.authorization.k8s.io', 'v1', 'roles', 'Role', 'n'],
  ['rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', 'n'],
  ['rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', ''],
  ['rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', ''],
  ['admissionregistration.k8s.io', 'v1', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', ''],
  ['admissionregistration.k8s.io', 'v1', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', ''],
  ['apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', 's', 'crd,crds'],
];

const builtin = ([group, version, plural, kind, flags, shortNames]: Row): ResourceDefinition => ({
  group,
  version,
  plural,
  singular: kind.toLowerCase(),
  kind,
  listKind: `${kind}List`,
  namespaced: flags.includes('n'),
  shortNames: shortNames?.split(',') ?? [],
  categories: flags.includes('a') ? ['all'] : [],
  builtin: true,
  hasStatus: flags.includes('s'),
  storageVersion: version,
});

/** The part of a CustomResourceDefinition that is read here. */
export interface CrdObject extends SimObject {
  spec: {
    group: string;
    scope: string;
    names: {
      plural: string;
      singular?: string;
      kind: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    conversion?: {
      strategy?: string;
      webhook?: { clientConfig?: WebhookClientConfig; conversionReviewVersions?: string[] };
    };
    versions: CrdVersion[];
  };
}

export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: Record<string, unknown> };
  subresources?: { status?: object };
  additionalPrinterColumns?: {
    name: string;
    type: string;
    jsonPath: string;
    priority?: number;
    description?: string;
  }[];
}

export interface WebhookClientConfig {
  url?: string;
  caBundle?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
}

/** Which resources are served, in which versions: the built-in ones and one set per CustomResourceDefinition. */
export class Kinds {
  private readonly definitions = new Map<string, ResourceDefinition>();
  private readonly crds = new Map<string, CrdObject>();

  constructor() {
    for (const row of ROWS) this.add(builtin(row));
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.definitions.get(`${group}/${version}/${plural}`);
  }

  findKind(group: string, version: string, kind: string): ResourceDefinition | undefined {
    return this.all().find((one) => one.group === group && one.version === version && one.kind === kind);
  }

  builtin(plural: string): ResourceDefinition {
    return this.all().find((one) => one.builtin && one.plural === plural) as ResourceDefinition;
  }

  all(): ResourceDefinition[] {
    return [...this.definitions.values()];
  }

  crdOf(resource: { group: string; plural: string }): CrdObject | undefined {
    return this.crds.get(resourceId(resource));
  }

  versionOf(resource: ResourceDefinition): CrdVersion | undefined {
    return this.crdOf(resource)?.spec.versions.find((version) => version.name === resource.version);
  }

  /** The same resource in another version that is served or stored. */
  inVersion(resource: ResourceDefinition, version: string): ResourceDefinition {
    return { ...resource, version };
  }

  install(crd: CrdObject): void {
    this.uninstall(crd);
    const { group, names, scope, versions } = crd.spec;
    const storageVersion = versions.find((version) => version.storage)?.name ?? '';
    this.crds.set(`${group}/${names.plural}`, crd);
    for (const version of versions.filter((candidate) => candidate.served)) {
      this.add({
        group,
        version: version.name,
        plural: names.plural,
        singular: names.singular ?? names.kind.toLowerCase(),
        kind: names.kind,
        listKind: names.listKind ?? `${names.kind}List`,
        namespaced: scope === 'Namespaced',
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        builtin: false,
        hasStatus: version.subresources?.status !== undefined,
        storageVersion,
      });
    }
  }

  uninstall(crd: CrdObject): void {
    const { group, names } = crd.spec;
    this.crds.delete(`${group}/${names.plural}`);
    for (const [id, one] of this.definitions) {
      if (!one.builtin && one.group === group && one.plural === names.plural) this.definitions.delete(id);
    }
  }

  private add(definition: ResourceDefinition): void {
    this.definitions.set(`${definition.group}/${definition.version}/${definition.plural}`, definition);
  }
}
