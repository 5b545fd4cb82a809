import { type FieldError, invalid } from '../field-error.js';
import type { SidecarSet } from '../sidecarset.js';

/** What an update may not do to containers: add or rename one, or change how one is upgraded. Removing is allowed. */
export function validateContainerChanges(set: SidecarSet, old: SidecarSet, path: string): FieldError[] {
  const before = new Map(old.spec.containers?.map(({ name, upgradeStrategy }) => [name, upgradeStrategy?.upgradeType]));
  return (set.spec.containers ?? []).flatMap(({ name, upgradeStrategy }) => {
    if (!before.has(name)) return [invalid(`${path}.name`, name, `container ${name} is not found`)];
    const type = before.get(name);
    if (!type || upgradeStrategy?.upgradeType === type) return [];
    return [invalid(`${path}.upgradeStrategy.upgradeType`, name, `container ${name} upgradeType is immutable`)];
  });
}
