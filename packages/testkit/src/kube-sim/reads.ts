import { notFound } from './api-error.js';
import type { Versions } from './crd/versions.js';
import { apiVersionOf, type Entry, selectableFields } from './entry.js';
import type { ResourceRequest } from './http/request.js';
import { printJson, readJson } from './json.js';
import type { Kinds } from './kinds.js';
import { Pages } from './pages.js';
import { parseFieldSelector, parseLabelSelector } from './selectors.js';
import type { Store } from './store.js';
import { columnsOf, renderTable } from './table/table.js';
import type { SimObject } from './types.js';
import { inView, type WatchFilter } from './watch.js';

/** Get and list, as objects or as the tables that kubectl prints. */
export class Reads {
  readonly pages = new Pages();

  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
    private readonly versions: Versions,
  ) {}

  async get(request: ResourceRequest, table: boolean): Promise<string> {
    const { resource, namespace, name = '' } = request;
    const entry = this.store.of(resource).get(namespace, name);
    if (!entry) throw notFound(resource, name);
    const text = await this.versions.textOf(resource, entry);
    return table ? this.table(request, [text], { resourceVersion: String(entry.resourceVersion) }) : text;
  }

  async list(request: ResourceRequest, table: boolean): Promise<string> {
    const { resource, query } = request;
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue');
    const selects = query.has('labelSelector') || query.has('fieldSelector');
    const page = token
      ? this.pages.next(token, limit)
      : this.pages.first(this.matching(request), this.store.resourceVersion, limit);
    const metadata = {
      resourceVersion: String(page.resourceVersion),
      ...(page.continueToken ? { continue: page.continueToken } : {}),
      ...(page.continueToken && !selects ? { remainingItemCount: page.remaining } : {}),
    };
    const texts = await this.versions.textsOf(resource, page.entries);
    if (table) return this.table(request, texts, metadata);
    const prefix = resource.builtin ? `{"kind":"${resource.kind}","apiVersion":"${apiVersionOf(resource)}",`.length : 0;
    const items = resource.builtin ? texts.map((text) => `{${text.slice(prefix)}`) : texts;
    return `{"kind":"${resource.listKind}","apiVersion":"${apiVersionOf(resource)}","metadata":${JSON.stringify(metadata)},"items":[${items.join(',')}]}\n`;
  }

  matching(request: ResourceRequest): Entry[] {
    const filter = filterOf(request);
    const entries = this.store.of(request.resource).list(request.namespace);
    if (!filter.labels && !filter.fields) return entries;
    return entries.filter((entry) => inView(filter, entry.namespace, entry.labels, entry.fields));
  }

  /** One event of a watch whose client asked for tables. */
  tableRow(request: ResourceRequest, text: string, first: boolean): string {
    const object = readJson(text) as SimObject;
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return this.table(request, [text], metadata, first);
  }

  private table(request: ResourceRequest, texts: readonly string[], metadata: object, withDefinitions = true): string {
    const columns = columnsOf(request.resource, this.kinds.versionOf(request.resource));
    const objects = texts.map((text) => readJson(text) as SimObject);
    const include = request.query.get('includeObject') ?? 'Metadata';
    return printJson(renderTable({ columns, objects, metadata, include, withDefinitions, now: new Date() }));
  }
}

/** What a list or watch shows. A watch of one object by its path is one by its name. */
export function filterOf({ resource, namespace, name, query }: ResourceRequest): WatchFilter {
  const known = selectableFields(resource);
  const fields = parseFieldSelector(query.get('fieldSelector') ?? undefined, known);
  return {
    namespace,
    labels: parseLabelSelector(query.get('labelSelector') ?? undefined),
    fields: name ? (values) => values['metadata.name'] === name && (fields?.(values) ?? true) : fields,
  };
}
