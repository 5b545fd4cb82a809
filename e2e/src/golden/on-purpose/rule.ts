import type { ControllerRevision, Pod, SidecarSet } from '@sidestep/core';
import type { Comparison } from '../compare.js';
import type { ExpectedWrite } from '../golden-case.js';
import type { SetChange } from '../golden-cluster.js';

/** A write of a SidecarSet in a case, and what OpenKruise answered if that was recorded. */
export interface RecordedWrite {
  posted: SidecarSet;
  recorded?: ExpectedWrite;
}

/** What a rule may know of the case beside the two answers. */
export interface CaseFacts {
  /** Every write so far; for a comparison of a write that one is the last. */
  writes: readonly RecordedWrite[];
  /** For a write: our answer had another object been posted, or had SidecarSets not been there, in the form of the comparison. */
  writeInstead?: (posted: SidecarSet, without?: readonly string[]) => unknown;
  /** For an admission. */
  pod?: {
    /** The pod that the webhooks got. */
    request: Pod;
    namespace?: string;
    uid?: string | undefined;
    /** Our answer had the pod been another, or the SidecarSets, in the form of the comparison. */
    admitInstead: (instead: { object?: Pod; change?: SetChange }) => unknown;
  };
  /** For a write to a pod in a trace: the pod before it, and what we decided. */
  upgrade?: { before: Pod; set: SidecarSet; reason: string; picked: boolean };
  /** The SidecarSet of a trace at that moment, with a revision for each spec it had. */
  trace?: { set: SidecarSet; revisions: readonly ControllerRevision[] };
}

/**
 * A difference from OpenKruise that is meant to be. It works out what we should have answered from what OpenKruise did, and the
 * whole of that is compared: a rule has no way to leave a field out of the comparison.
 */
export interface OnPurpose {
  name: string;
  /** Why Sidestep answers differently; printed in the report. */
  sentence: string;
  /** What OpenKruise would have answered if it did the same, or undefined where the rule does not apply. */
  adjust: (comparison: Comparison, facts: CaseFacts) => unknown;
}
