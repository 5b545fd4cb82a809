import {
  type ControllerRevision,
  decideRevisions,
  diffJson,
  isRevisionOf,
  type JsonPatch,
  promotionOf,
  restoreRevision,
  SIDESTEP,
  type SidecarSet,
} from '@sidestep/core';
import { CliError } from '../errors.js';
import { findUnseen, verdictOf } from './verdict.js';

/** A change of a SidecarSet that steers its rollout: fields and annotations that may as well be written by a GitOps tool. */
export interface Steering {
  /** What was done, as a sentence. */
  done: string;
  /** JSON merge patch (RFC 7386), or a JSON patch (RFC 6902). */
  patch: { type: 'merge'; body: object } | { type: 'json'; body: JsonPatch };
}

const fields = (updateStrategy: object): Steering['patch'] => ({ type: 'merge', body: { spec: { updateStrategy } } });

const annotations = (values: Record<string, string | null>): Steering['patch'] => ({
  type: 'merge',
  body: { metadata: { annotations: values } },
});

/** What a command would have to go by is in the status, and that tells of an earlier version of the SidecarSet. */
const behind = (set: SidecarSet, unseen: string, what: string): CliError =>
  new CliError('PLANNER_BEHIND', `${unseen}, so ${what} is not known`, {
    hint: `Wait until it has: kubectl sidestep status ${nameOf(set)}. Is sidestep-worker running?`,
  });

const nothing = (message: string, hint: string): CliError => new CliError('NOTHING_TO_DO', message, { hint });

const nameOf = ({ metadata }: SidecarSet): string => metadata.name ?? '';

/** Begins no more pods; begun ones are finished. */
export function pause(set: SidecarSet): Steering {
  if (set.spec.updateStrategy?.paused === true)
    throw nothing(`${nameOf(set)} is paused already`, 'Resume it with resume.');
  return { done: 'paused: no pod is begun, begun ones are finished', patch: fields({ paused: true }) };
}

export function resume(set: SidecarSet): Steering {
  if (set.spec.updateStrategy?.paused !== true) {
    throw nothing(
      `${nameOf(set)} is not paused by updateStrategy.paused`,
      'A canary step is ended by promote, a stopped rollout begun again by retry.',
    );
  }
  return { done: 'resumed', patch: fields({ paused: false }) };
}

/** Ends the pause of the step that waits, or of all steps. */
export function promote(set: SidecarSet, all: boolean): Steering {
  const steps = set.spec.updateStrategy?.steps ?? [];
  if (steps.length === 0) throw nothing(`${nameOf(set)} has no canary steps`, 'updateStrategy.steps sets them.');
  latestOf(set);
  const unseen = findUnseen(set);
  if (unseen !== undefined) throw behind(set, unseen, 'at which step it waits');
  const { currentStep = 0 } = set.status ?? {};
  if (currentStep >= steps.length)
    throw nothing(`every step of ${nameOf(set)} is done`, 'There is nothing to promote.');
  if (all) return { done: 'promoted through all steps', patch: promotion(set, 'all') };
  const paused = set.status?.conditions?.find(({ type }) => type === 'Paused');
  if (paused?.reason !== 'StepPause') {
    throw nothing(
      `${nameOf(set)} does not wait at a step: ${paused?.message ?? 'no planner has looked at it'}`,
      'Promote when it waits, or all steps at once with --full.',
    );
  }
  const done = `promoted step ${currentStep + 1} of ${steps.length}`;
  return { done, patch: promotion(set, currentStep) };
}

function promotion(set: SidecarSet, step: number | 'all'): Steering['patch'] {
  const token = set.status === undefined ? undefined : promotionOf(set.status, step);
  if (token !== undefined) return annotations({ [SIDESTEP.promote]: token });
  throw nothing(
    `${nameOf(set)} has not begun its steps: ${verdictOf(set).message}`,
    'Promote once status.stepsSince is set.',
  );
}

/**
 * Stops the rollout of the spec as it stands; pods half done go back to their old container. The revision is named by what it
 * records: the one in the status may be that of the spec before the last edit, and good.
 */
export function abort(set: SidecarSet, revisions: readonly ControllerRevision[]): Steering {
  latestOf(set);
  const { metadata } = decideRevisions({ set, existing: revisions, inUse: new Set(), namespace: '' }).latest;
  const revision = metadata.name ?? '';
  if (set.metadata.annotations?.[SIDESTEP.abort] === revision)
    throw nothing(`${revision} is aborted already`, 'Begin it again with retry.');
  const { state, message } = verdictOf(set);
  if (state === 'Complete')
    throw nothing(`${revision} is not being rolled out: ${message}`, 'Go back to an earlier revision with rollback.');
  return {
    done: `aborted ${revision}: pods half done go back to their old container`,
    patch: annotations({ [SIDESTEP.abort]: revision }),
  };
}

/** Lets pods be begun again that failed, and a rollout that was aborted. */
export function retry(set: SidecarSet, now: Date): Steering {
  const body = { [SIDESTEP.retry]: now.toISOString() };
  const aborted = set.metadata.annotations?.[SIDESTEP.abort];
  if (aborted !== undefined) {
    return {
      done: `${aborted || 'the rollout'} may be rolled out again, failed pods too`,
      patch: annotations({ ...body, [SIDESTEP.abort]: null }),
    };
  }
  const { failedPods = 0, failedRevision } = set.status ?? {};
  if (failedPods === 0 && failedRevision === undefined) {
    latestOf(set);
    const unseen = findUnseen(set);
    if (unseen !== undefined) throw behind(set, unseen, 'whether any pod failed');
    throw nothing(`no pod of ${nameOf(set)} failed, and nobody aborted its rollout`, verdictOf(set).message);
  }
  return { done: 'failed pods are begun again', patch: annotations(body) };
}

/** Puts an earlier revision into the spec: the one named, else the last good one, else the one before. */
export function rollback(set: SidecarSet, revisions: readonly ControllerRevision[], to: string | undefined): Steering {
  const revision = to === undefined ? lastGood(set, revisions) : named(set, revisions, to);
  const name = revision.metadata.name ?? '';
  const restored = restoreRevision(set, revision);
  const changes = diffJson(set.spec, restored.spec, '/spec');
  if (changes.length === 0)
    throw nothing(`the spec of ${nameOf(set)} is that of ${name} already`, knownText(revisions));
  // Makes the API server answer 409 if somebody changed the set meanwhile.
  const guard = {
    op: 'replace',
    path: '/metadata/resourceVersion',
    value: set.metadata.resourceVersion ?? '',
  } as const;
  // Whoever asks for a revision by its name does not want it stopped by an abort of long ago.
  const isAborted = set.metadata.annotations?.[SIDESTEP.abort] === name;
  const path = `/metadata/annotations/${SIDESTEP.abort.replace('/', '~1')}`;
  const unabort: JsonPatch = isAborted ? [{ op: 'remove', path }] : [];
  return {
    done: `the spec is that of ${name} again; a GitOps tool will undo this unless its source says the same`,
    patch: { type: 'json', body: [guard, ...unabort, ...changes] },
  };
}

function latestOf(set: SidecarSet): string {
  const latest = set.status?.latestRevision;
  if (latest) return latest;
  throw nothing(`${nameOf(set)} has no revision yet`, 'No planner has looked at it; is sidestep-worker running?');
}

function lastGood(set: SidecarSet, revisions: readonly ControllerRevision[]): ControllerRevision {
  // Not status.latestRevision: while the planner has not seen the last edit that is the one to go back to.
  const { latest } = decideRevisions({ set, existing: revisions, inUse: new Set(), namespace: '' });
  const older = revisions
    .filter((revision) => isRevisionOf(set, revision) && revision.metadata.name !== latest.metadata.name)
    .sort((a, b) => b.revision - a.revision);
  const found = older.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? older[0];
  if (found !== undefined) return found;
  throw nothing(`${nameOf(set)} has no earlier revision`, knownText(revisions));
}

/** By name, by the end of the name after the set's, or by number. */
function named(set: SidecarSet, revisions: readonly ControllerRevision[], to: string): ControllerRevision {
  const found = revisions.find(
    ({ metadata, revision }) =>
      metadata.name === to || metadata.name === `${nameOf(set)}-${to}` || String(revision) === to,
  );
  if (found !== undefined) return found;
  throw new CliError('NOT_FOUND', `${nameOf(set)} has no revision "${to}"`, { hint: knownText(revisions) });
}

function knownText(revisions: readonly ControllerRevision[]): string {
  const known = [...revisions].sort((a, b) => b.revision - a.revision).slice(0, 10);
  return `Revisions: ${known.map(({ metadata, revision }) => `${revision} ${metadata.name}`).join(', ') || 'none'}.`;
}
