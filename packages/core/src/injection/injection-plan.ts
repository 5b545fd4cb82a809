import { SidestepError } from '../api/errors.js';
import type { JsonPatch, Pod } from '../api/kubernetes.js';
import type { RevisionLookup } from '../revision/find-revision.js';
import type { SidecarSetIndex } from './sidecarset-index.js';

/** Everything that is known about a pod at the moment of its admission. */
export interface InjectionInput {
  /** The pod as it stands in `AdmissionRequest.object`; it is never changed. */
  pod: Pod;
  /** `AdmissionRequest.namespace`; a pod's own metadata may still lack it. */
  namespace: string;
  /** Labels of the Namespace object, or undefined when it is not in memory: then only its name can be matched. */
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  sidecarSets: SidecarSetIndex;
  revisions: RevisionLookup;
  /** `AdmissionRequest.uid`: tells apart pods that have neither name nor uid yet (only for policy `Partial`). */
  requestUid?: string;
  /** Becomes `updateTimestamp` of the records, with seconds' precision. */
  now: Date;
}

/** Why a SidecarSet that selects the pod was left out. */
export type SkipReason = 'InjectionPaused' | 'PodOptedOut' | 'SkippedByPod' | 'ReplacedByCanary' | 'NamespaceUnknown';

/** One SidecarSet that could have been injected and was not. */
export interface SkippedSidecarSet {
  sidecarSet: string;
  reason: SkipReason;
  message: string;
}

/** What admission does to one pod. */
export interface InjectionPlan {
  /** Inserts whole new elements and replaces containers of the same name; touches nothing else. Empty: leave the pod alone. */
  patch: JsonPatch;
  /** Names of the injected SidecarSets, sorted. */
  injected: string[];
  skipped: SkippedSidecarSet[];
  /** For `AdmissionResponse.warnings`. */
  warnings: string[];
}

/** The pod cannot be injected as its SidecarSets demand: the admission is to be refused with this message (HTTP 422). */
export class InjectionRefused extends SidestepError {
  constructor(message: string, hint: string, cause?: unknown) {
    super('INJECTION_REFUSED', message, { hint, cause });
  }
}
