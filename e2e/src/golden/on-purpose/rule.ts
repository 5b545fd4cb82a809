import type { ControllerRevision, Pod, SidecarSet } from '@sidestep/core';
import type { Comparison } from '../compare.js';
import type { ExpectedAdmission } from '../golden-case.js';

/** What a rule may know of the case beside the two answers. */
export interface CaseFacts {
  /** As they were posted. */
  sidecarSets: readonly SidecarSet[];
  /** The pod's admission, when the comparison is about one. */
  admission?: ExpectedAdmission;
  /** The case is about pods sent with fields newer than OpenKruise's client. */
  isDirect?: boolean;
  /** The write to a pod that the comparison is about: the pod before it, and after ours. */
  write?: { before: Pod; ours: Pod; set: SidecarSet; reason: string };
  /** The SidecarSet of a trace at that moment, with a revision for each spec it had. */
  trace?: { set: SidecarSet; revisions: readonly ControllerRevision[] };
  /** Names of rules that explained an earlier comparison of the same case. */
  earlier: ReadonlySet<string>;
}

/** A difference from OpenKruise that is meant to be. */
export interface OnPurpose {
  name: string;
  /** Why Sidestep answers differently; printed in the report. */
  sentence: string;
  /** What OpenKruise would have answered if it did the same, or undefined where the rule does not apply. */
  adjust: (comparison: Comparison, facts: CaseFacts) => unknown;
}
