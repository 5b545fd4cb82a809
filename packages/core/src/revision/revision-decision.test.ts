import { describe, expect, test } from '@jest/globals';
import { recordedWrites } from '../../testing/golden.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { decideRevisions } from './revision-decision.js';

/** The revisions of a set after the decision was carried out, oldest first. */
function after(existing: ControllerRevision[], set: SidecarSet, inUse = new Set<string>()): ControllerRevision[] {
  const decision = decideRevisions({ set, existing, inUse, namespace: 'kruise-system' });
  const gone = new Set(decision.remove);
  const name = decision.latest.metadata.name;
  return [...existing.filter((each) => each.metadata.name !== name && !gone.has(each)), decision.latest];
}

describe('decideRevisions', () => {
  const accepted = recordedWrites().filter(({ outcome }) => (outcome.controllerRevisions ?? []).length > 0);

  test.each(accepted)('leaves the recorded ControllerRevisions after $title', ({ written, outcome, revisions }) => {
    const set = outcome.stored?.v1beta1 as SidecarSet;
    const mine = revisions.filter(
      (each) => each.metadata.labels?.['kruise.io/sidecarset-name'] === written.metadata.name,
    );
    const recorded = outcome.controllerRevisions?.map(
      ({ name, namespace, labels, annotations, ownerReferences, ...rest }) => ({
        metadata: { name, namespace, labels, annotations, ownerReferences },
        ...rest,
      }),
    );
    const result = after(mine, set).map(({ apiVersion, kind, ...rest }) => rest);
    expect(result.sort((a, b) => a.revision - b.revision)).toEqual(recorded?.sort((a, b) => a.revision - b.revision));
  });
});
