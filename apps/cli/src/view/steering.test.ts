import { describe, expect, test } from '@jest/globals';
import { applyJsonPatch, decideRevisions, type JsonPatch, SIDESTEP, type SidecarSet } from '@sidestep/core';
import { recordedSnapshot } from '../../test/snapshots.js';
import { exitCodeOf } from '../errors.js';
import { abort, promote, retry, rollback, type Steering } from './steering.js';

const { sidecarSet: recorded, revisions, at } = recordedSnapshot('rolling-out');
const GOOD = 'mesh-6cbfc9d654';
const OLDER = 'mesh-bd96986b8';

/** `mesh:v3` runs well on every pod, and that is the last thing that a planner saw; then the spec became another one. */
function editedUnseen(image: string, more: Partial<SidecarSet['spec']> = {}): SidecarSet {
  const { metadata, spec, status } = structuredClone(recorded);
  const generation = (metadata.generation ?? 0) + 1;
  const containers = (spec.containers ?? []).map((container) => ({ ...container, image }));
  const seen = { latestRevision: GOOD, currentRevision: GOOD, observedGeneration: generation - 1 };
  return {
    ...recorded,
    metadata: { ...metadata, generation },
    spec: { ...spec, containers, ...more },
    status: { matchedPods: 4, updatedPods: 4, readyPods: 4, ...status, ...seen, failedPods: 0 },
  };
}

const annotationsOf = ({ patch }: Steering): Record<string, unknown> | undefined =>
  (patch.body as { metadata?: { annotations?: Record<string, unknown> } }).metadata?.annotations;

const imageAfter = (set: SidecarSet, { patch }: Steering): string | undefined =>
  applyJsonPatch(set, patch.body as JsonPatch).spec.containers?.[0]?.image;

function refusalOf(command: () => unknown): { exit: number; message: string; hint: string } {
  try {
    command();
  } catch (error) {
    const { message, hint } = error as { message: string; hint: string };
    return { exit: exitCodeOf(error), message, hint };
  }
  throw new Error('it was not refused');
}

describe('while the planner has not seen the last edit', () => {
  test('rollback goes to the good revision that the status calls the latest, not to the one before it', () => {
    const set = editedUnseen('mesh:v9');
    expect(imageAfter(set, rollback(set, revisions, undefined))).toBe('mesh:v3');
  });

  test('rollback of an edit that went back to an old revision goes to the last good one', () => {
    const set = editedUnseen('mesh:v1');
    expect(imageAfter(set, rollback(set, revisions, undefined))).toBe('mesh:v3');
  });

  test('abort names the revision that the planner will make of the spec', () => {
    const set = editedUnseen('mesh:v9');
    const made = decideRevisions({ set, existing: revisions, inUse: new Set(), namespace: 'kruise-system' });
    expect(made.create).toBeDefined();
    expect(annotationsOf(abort(set, revisions))).toEqual({ [SIDESTEP.abort]: made.latest.metadata.name });
    expect(made.latest.metadata.name).not.toBe(GOOD);
  });

  test('abort of an edit that went back to an old revision names that', () => {
    expect(annotationsOf(abort(editedUnseen('mesh:v1'), revisions))).toEqual({ [SIDESTEP.abort]: OLDER });
  });

  test.each([false, true])(
    'promote (all steps: %s) refuses, for the step in the status is that of another version',
    (all) => {
      const steps = [{ pods: 1, pause: {} }];
      const set = editedUnseen('mesh:v9', { updateStrategy: { ...recorded.spec.updateStrategy, steps } });
      expect(refusalOf(() => promote(set, all))).toMatchObject({
        exit: 3,
        message: expect.stringContaining('the planner saw generation'),
        hint: expect.stringContaining('kubectl sidestep status mesh'),
      });
    },
  );

  test('retry refuses where only the planner can tell whether a pod failed', () => {
    expect(refusalOf(() => retry(editedUnseen('mesh:v9'), at))).toMatchObject({
      exit: 3,
      message: expect.stringContaining('whether any pod failed is not known'),
    });
  });
});

describe('retry', () => {
  const failed = recordedSnapshot('failed').sidecarSet;

  test('has nothing to do where no pod failed and nobody aborted', () => {
    expect(refusalOf(() => retry(recorded, at))).toMatchObject({
      exit: 1,
      message: 'no pod of mesh failed, and nobody aborted its rollout',
    });
  });

  test('is written where pods failed', () => {
    expect(annotationsOf(retry(failed, at))).toEqual({ [SIDESTEP.retry]: at.toISOString() });
  });

  test('takes an abort back, and says of which revision', () => {
    const annotations = { ...recorded.metadata.annotations, [SIDESTEP.abort]: GOOD };
    const steering = retry({ ...recorded, metadata: { ...recorded.metadata, annotations } }, at);
    expect(annotationsOf(steering)).toEqual({ [SIDESTEP.retry]: at.toISOString(), [SIDESTEP.abort]: null });
    expect(steering.done).toContain(GOOD);
  });
});

describe('rollback', () => {
  test('takes back an abort of the very revision that it goes to, and no other', () => {
    const aborted = (revision: string): SidecarSet => {
      const annotations = { ...recorded.metadata.annotations, [SIDESTEP.abort]: revision };
      return { ...recorded, metadata: { ...recorded.metadata, annotations } };
    };
    const after = (set: SidecarSet) =>
      applyJsonPatch(set, rollback(set, revisions, OLDER).patch.body as JsonPatch).metadata.annotations?.[
        SIDESTEP.abort
      ];
    expect(after(aborted(OLDER))).toBeUndefined();
    expect(after(aborted(GOOD))).toBe(GOOD);
  });
});
