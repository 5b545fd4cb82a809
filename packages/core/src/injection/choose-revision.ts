import { createHash } from 'node:crypto';
import { quoteGo } from '../api/field-error.js';
import { isPercent } from '../api/int-or-percent.js';
import type { ControllerRevision, Pod } from '../api/kubernetes.js';
import { matchesSelector } from '../api/selectors.js';
import type { InjectionStrategy, SidecarSet } from '../api/sidecarset.js';
import { isRevisionOf } from '../revision/find-revision.js';
import { RevisionDataError, restoreRevision } from '../revision/restore-revision.js';
import { revisionGoneBackTo } from '../rollout/rollout-target.js';
import { type CompiledSidecarSet, compileMaterial, type InjectionMaterial } from './compile-sidecarset.js';
import { type InjectionInput, InjectionRefused } from './injection-plan.js';

type PinnedRevision = NonNullable<InjectionStrategy['revision']>;

/**
 * What of a SidecarSet is injected into this pod: the current spec, or the revision that `injectionStrategy.revision` pins
 * (OpenKruise 1.9). With policy `Partial` a share of the selected pods, `updateStrategy.partition` percent, gets the pinned
 * one; which pod does is fixed by its identity, so that asking again changes nothing.
 *
 * A revision that Sidestep's failure policy took back is not given to new pods either: they get the last good one.
 *
 * @throws {InjectionRefused} when the revision is missing or belongs to another SidecarSet
 */
export function chooseRevision(compiled: CompiledSidecarSet, input: InjectionInput): InjectionMaterial {
  const pinned = compiled.sidecarSet.spec.injectionStrategy?.revision;
  if (!pinned?.revisionName && !pinned?.customVersion) return currentMaterial(compiled, input);
  const revision = findRevision(compiled, pinned, input);
  if (!usesPinned(compiled.sidecarSet, pinned, input)) return compiled.material;
  return compiled.restored.get(revision) ?? restored(compiled, revision);
}

function currentMaterial(compiled: CompiledSidecarSet, { revisions }: InjectionInput): InjectionMaterial {
  const good = revisionGoneBackTo(compiled.sidecarSet, (name) => revisions.byName(name));
  if (good === undefined || !isRevisionOf(compiled.sidecarSet, good)) return compiled.material;
  return compiled.restored.get(good) ?? restored(compiled, good);
}

function restored(compiled: CompiledSidecarSet, revision: ControllerRevision): InjectionMaterial {
  try {
    const material = compileMaterial(restoreRevision(compiled.sidecarSet, revision));
    compiled.restored.set(revision, material);
    return material;
  } catch (error) {
    if (!(error instanceof RevisionDataError)) throw error;
    throw new InjectionRefused(error.message, error.hint, error);
  }
}

function findRevision(
  { name, sidecarSet }: CompiledSidecarSet,
  pinned: PinnedRevision,
  input: InjectionInput,
): ControllerRevision {
  const { revisionName, customVersion = '' } = pinned;
  const found = revisionName
    ? input.revisions.byName(revisionName)
    : input.revisions.byCustomVersion(name, customVersion);
  const hint = `Correct injectionStrategy.revision of SidecarSet ${name}.`;
  if (found === undefined) {
    throw new InjectionRefused(`ControllerRevision.apps ${quoteGo(revisionName || name)} not found`, hint);
  }
  if (!isRevisionOf(sidecarSet, found)) {
    throw new InjectionRefused(`ControllerRevision ${found.metadata.name} does not belong to SidecarSet ${name}`, hint);
  }
  return found;
}

function usesPinned({ metadata, spec }: SidecarSet, pinned: PinnedRevision, input: InjectionInput): boolean {
  if (pinned.policy !== 'Partial' || spec.updateStrategy?.paused) return true;
  const { selector, partition } = spec.updateStrategy ?? {};
  if (selector !== undefined && !matchesSelector(selector, input.pod.metadata.labels)) return true;
  if (partition === undefined || typeof partition === 'number') return false;
  if (!isPercent(partition)) {
    const message = `updateStrategy.partition ${quoteGo(partition)} is not a percentage`;
    throw new InjectionRefused(message, `Correct SidecarSet ${metadata.name}.`);
  }
  return lot(metadata.name ?? '', input) < Number(partition.slice(0, -1)) / 100;
}

/** A number in [0, 1), evenly spread over pods, the same one for the same pod and SidecarSet. */
function lot(sidecarSet: string, input: InjectionInput): number {
  const digest = createHash('sha256')
    .update(`${sidecarSet}\0${identityOf(input)}`)
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** A pod that is still to get its name shares `generateName` with its siblings; only the request tells it from them. */
function identityOf({ pod, namespace, requestUid = '' }: InjectionInput): string {
  const { uid, name, generateName = '' }: Pod['metadata'] = pod.metadata;
  if (uid) return uid;
  return name ? `${namespace}/${name}` : `${namespace}/${generateName}/${requestUid}`;
}
