import { apiVersionOf } from './entry.js';
import type { Kinds } from './kinds.js';
import type { ResourceDefinition } from './types.js';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export const VERSION = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.4-kube-sim',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch}`,
};

/** What a client reads to learn which resources there are; undefined for any other path. */
export function discover(kinds: Kinds, pathname: string): object | undefined {
  const parts = pathname.split('/').filter(Boolean);
  if (pathname === '/version' || pathname === '/version/') return VERSION;
  if (parts[0] === 'openapi') return openApi(kinds, parts.slice(1));
  if (parts[0] === 'api' && parts.length === 1)
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (parts[0] === 'api' && parts.length === 2) return resourceList(kinds, '', parts[1] as string);
  if (parts[0] !== 'apis') return undefined;
  if (parts.length === 1)
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames(kinds).map((group) => apiGroup(kinds, group)) };
  if (parts.length === 2)
    return groupNames(kinds).includes(parts[1] as string)
      ? { ...apiGroup(kinds, parts[1] as string), kind: 'APIGroup', apiVersion: 'v1' }
      : undefined;
  return parts.length === 3 ? resourceList(kinds, parts[1] as string, parts[2] as string) : undefined;
}

const groupNames = (kinds: Kinds): string[] => [...new Set(kinds.all().map((one) => one.group))].filter(Boolean);

/** Newer and more stable versions first, as the API server prefers them. */
function versionsOf(kinds: Kinds, group: string): string[] {
  const rank = (version: string): number => {
    const [, major, stage = 'zz', minor = '0'] = /^v(\d+)(alpha|beta)?(\d*)$/.exec(version) ?? [];
    return (stage === 'zz' ? 3 : stage === 'beta' ? 2 : 1) * 10_000 + Number(major ?? 0) * 100 + Number(minor || 0);
  };
  const versions = new Set(
    kinds
      .all()
      .filter((one) => one.group === group)
      .map((one) => one.version),
  );
  return [...versions].sort((a, b) => rank(b) - rank(a));
}

function apiGroup(kinds: Kinds, name: string): object {
  const versions = versionsOf(kinds, name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(kinds: Kinds, group: string, version: string): object | undefined {
  const own = kinds.all().filter((one) => one.group === group && one.version === version);
  if (own.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: own.flatMap(described),
  };
}

function described(resource: ResourceDefinition): object[] {
  const { plural: name, singular: singularName, namespaced, kind, shortNames, categories, hasStatus } = resource;
  const main = {
    name,
    singularName,
    namespaced,
    kind,
    verbs: VERBS,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
  const status = { name: `${name}/status`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'] };
  return hasStatus ? [main, status] : [main];
}

/** Only as much of OpenAPI as kubectl needs to leave validation to the server: every patch takes `fieldValidation`. */
function openApi(kinds: Kinds, parts: string[]): object | undefined {
  if (parts[0] !== 'v3') return undefined;
  const groupVersions = new Set(
    kinds.all().map((one) => (one.group ? `apis/${one.group}/${one.version}` : `api/${one.version}`)),
  );
  if (parts.length === 1) {
    return {
      paths: Object.fromEntries(
        [...groupVersions].map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=sim` }]),
      ),
    };
  }
  const path = parts.slice(1).join('/');
  if (!groupVersions.has(path)) return undefined;
  const own = kinds
    .all()
    .filter((one) => path === (one.group ? `apis/${one.group}/${one.version}` : `api/${one.version}`));
  return {
    openapi: '3.0.0',
    info: { title: 'kube-sim', version: VERSION.gitVersion },
    paths: Object.fromEntries(own.map((one) => [`/${path}/${one.plural}/{name}`, patchOperation(one)])),
    components: { schemas: {} },
  };
}

const patchOperation = ({ group, version, kind }: ResourceDefinition): object => ({
  patch: {
    operationId: `patch${group}${version}${kind}`,
    parameters: [
      { in: 'query', name: 'dryRun', schema: { type: 'string' } },
      { in: 'query', name: 'fieldValidation', schema: { type: 'string' } },
    ],
    responses: {},
    'x-kubernetes-group-version-kind': { group, version, kind },
  },
});
