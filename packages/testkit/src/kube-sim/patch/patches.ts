import { ApiError, badRequest } from '../api-error.js';
import { applyListKeys } from '../crd/custom-resources.js';
import { keyOf, resourceId } from '../entry.js';
import type { Kinds } from '../kinds.js';
import type { Store } from '../store.js';
import type { SimObject } from '../types.js';
import type { Writes, WriteTarget, Written } from '../writes.js';
import { applyConfiguration } from './apply.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { applyStrategicPatch } from './strategic.js';

const ACCEPTED =
  'application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml';

/** Patches of every type, by content type. */
export class Patches {
  /** What each manager applied last, by object and manager: what managedFields are for in a real server. */
  private readonly applied = new Map<string, SimObject>();

  constructor(
    private readonly store: Store,
    private readonly kinds: Kinds,
    private readonly writes: Writes,
  ) {}

  patch(target: WriteTarget, contentType: string, body: unknown, manager: string): Promise<Written> {
    switch (contentType.split(';')[0]?.trim()) {
      case 'application/json-patch+json':
        return this.writes.update(target, (current) => applyJsonPatch(current, body));
      case 'application/merge-patch+json':
        return this.writes.update(target, (current) => applyMergePatch(current, body));
      case 'application/strategic-merge-patch+json':
        if (!target.resource.builtin) throw unsupported('application/strategic-merge-patch+json');
        return this.writes.update(target, (current) => applyStrategicPatch(current, body));
      case 'application/apply-patch+yaml':
        return this.apply(target, body as SimObject, manager);
      default:
        throw unsupported(contentType);
    }
  }

  private async apply(target: WriteTarget, config: SimObject, manager: string): Promise<Written> {
    if (!manager)
      throw badRequest(
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    if (!config?.apiVersion || !config.kind) throw badRequest('apply configuration must have apiVersion and kind');
    const { resource, namespace, name } = target;
    const exists = this.store.of(resource).get(namespace, name) !== undefined;
    const id = `${resourceId(resource)} ${keyOf(namespace, name)} ${manager} ${target.subresource ?? ''}`;
    const before = exists ? this.applied.get(id) : undefined;
    const written = exists
      ? await this.writes.update(target, (current) => this.merged(target, current, before, config))
      : await this.writes.create(target, { ...structuredClone(config), metadata: { ...config.metadata, name } });
    if (!target.dryRun) this.applied.set(id, config);
    return written;
  }

  private merged(target: WriteTarget, current: SimObject, before: SimObject | undefined, config: SimObject): object {
    const keysOf = applyListKeys(this.kinds, target.resource);
    return applyConfiguration(current, before, structuredClone(config), keysOf);
  }
}

const unsupported = (type: string): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${ACCEPTED} (got ${type})`,
  );
