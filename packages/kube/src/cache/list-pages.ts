import type { KubeApi, KubeObject, ListOptions, ResourceKind } from '../api.js';
import { isExpired } from '../error.js';

/** A list that expires between its pages this often is asked for in one piece. */
const PAGED_ATTEMPTS = 2;

/**
 * Reads a whole kind page by page, so that only one page of raw objects is in memory at a time, and returns the list's
 * resourceVersion. `onRestart` says that the pages so far are void: the API server forgot the snapshot they came from
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks).
 */
export async function listPages(
  api: KubeApi,
  kind: ResourceKind,
  scope: Omit<ListOptions, 'limit' | 'continue'>,
  pageSize: number,
  onPage: (items: KubeObject[]) => void,
  onRestart: () => void,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readPages(api, kind, attempt <= PAGED_ATTEMPTS ? { ...scope, limit: pageSize } : scope, onPage);
    } catch (error) {
      if (!isExpired(error) || attempt > PAGED_ATTEMPTS) throw error;
      onRestart();
    }
  }
}

async function readPages(
  api: KubeApi,
  kind: ResourceKind,
  options: ListOptions,
  onPage: (items: KubeObject[]) => void,
): Promise<string | undefined> {
  let next: string | undefined;
  do {
    const page = await api.list<KubeObject>(kind, next ? { ...options, continue: next } : options);
    onPage(page.items);
    next = page.metadata.continue;
    if (!next) return page.metadata.resourceVersion;
  } while (next);
  return undefined;
}
