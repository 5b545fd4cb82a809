import type {
  DeleteOptions,
  GetOptions,
  ListOptions,
  ObjectRef,
  PatchType,
  ResourceKind,
  WatchOptions,
  WriteOptions,
} from '../api.js';

/** The collection of a kind, in one namespace or in all. */
export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}`;
}

export function objectPath(kind: ResourceKind, ref: ObjectRef, subresource?: string): string {
  const own = `${collectionPath(kind, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource ? `${own}/${subresource}` : own;
}

export function getQuery({ resourceVersion }: GetOptions): string {
  return query({ resourceVersion });
}

export function listQuery(options: ListOptions): string {
  return query({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  });
}

export function watchQuery(options: WatchOptions): string {
  return query({
    watch: 'true',
    allowWatchBookmarks: 'true',
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    timeoutSeconds: options.timeoutSeconds,
  });
}

export function writeQuery(options: WriteOptions): string {
  return query({
    fieldManager: options.fieldManager,
    force: options.force ? 'true' : undefined,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: options.fieldValidation,
  });
}

/** https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
export const PATCH_CONTENT_TYPE: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
export const ACCEPT: Record<NonNullable<WriteOptions['answer']>, string> = {
  object: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
};

export function deleteBody({ dryRun, ...options }: DeleteOptions): object {
  return { apiVersion: 'v1', kind: 'DeleteOptions', ...options, ...(dryRun ? { dryRun: ['All'] } : {}) };
}

function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text ? `?${text}` : '';
}
