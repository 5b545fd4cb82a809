import { findPinnedRevision, type RevisionLookup } from '../../revision/find-revision.js';
import { isNativeSidecar } from '../container-kinds.js';
import { type FieldError, invalid, required, Verbatim } from '../field-error.js';
import { goSyntax } from '../schema/go-syntax.js';
import { SHARE_VOLUME_POLICY } from '../schema/sidecar-container-types.js';
import { INJECT_REVISION } from '../schema/sidecarset-types.js';
import type { SidecarContainer, SidecarSet } from '../sidecarset.js';
import type { Whitelist } from '../whitelist.js';
import { validateCanary } from './canary.js';
import { validateConflicts } from './conflicts.js';
import { validateContainerChanges } from './container-changes.js';
import { validateMetadata } from './metadata.js';
import { refusesNativeUpgrade, validateOwnFields } from './own-fields.js';
import { validateAsPod } from './pod/pod.js';
import { validatePodMetadata } from './pod-metadata.js';
import { refused, validateResourcesPolicy } from './resources-policy.js';
import { validateSetSelector } from './selector.js';
import { validateTransferEnv } from './transfer-env.js';
import { validateUpdateStrategy } from './update-strategy.js';

/** What {@link validateSidecarSet} must know besides the set. */
export interface ValidationContext {
  /** The stored set, on an update. */
  old?: SidecarSet;
  /** Every SidecarSet of the cluster, as v1beta1; the set itself may be among them. */
  others: Iterable<SidecarSet>;
  /** Finds the ControllerRevisions in Sidestep's namespace. */
  revisions: RevisionLookup;
  /** `Whitelist.parse` of the ConfigMap; left out when there is none. */
  whitelist?: Whitelist | undefined;
}

/**
 * Everything that is wrong with a SidecarSet, in the words of OpenKruise 1.9 and Kubernetes 1.32; `[]` means it may be stored.
 * The set is v1beta1, has its defaults, and was read by `readSidecarSet`. Conflicts with other sets are looked for only when
 * nothing else is wrong. Print the result with `formatFieldErrors`.
 */
export function validateSidecarSet(set: SidecarSet, context: ValidationContext): FieldError[] {
  const errors = [
    ...validateMetadata(set.metadata, 'metadata'),
    ...validateSpec(set, context),
    ...(context.old ? validateContainerChanges(set, context.old, 'spec.containers') : []),
    ...validateOwnFields(set.spec, 'spec'),
    ...validateCanary(set, context.old, context.others),
  ];
  return errors.length > 0 ? errors : validateConflicts(set, context.others, 'spec');
}

function validateSpec(set: SidecarSet, context: ValidationContext): FieldError[] {
  const { spec } = set;
  const { containers = [], initContainers = [], selector, namespaceSelector, updateStrategy } = spec;
  const hasContainers = containers.length + initContainers.length > 0;
  return [
    ...Array.from({ length: refusesNativeUpgrade(spec) }, () =>
      required('spec.updateStrategy', 'The initContainer in-place upgrade is not currently supported.'),
    ),
    ...(selector
      ? validateSetSelector(selector, 'spec.selector')
      : [required('spec.selector', 'no selector defined for SidecarSet')]),
    ...(namespaceSelector ? validateSetSelector(namespaceSelector, 'spec.namespaceSelector') : []),
    ...validatePinnedRevision(set, context.revisions),
    ...validateUpdateStrategy(updateStrategy ?? {}, 'spec.updateStrategy'),
    ...(hasContainers
      ? validateSidecars(set)
      : [required('spec', 'no initContainer or container defined for SidecarSet')]),
    ...validatePodMetadata(set, context.whitelist, 'spec.patchPodMetadata'),
  ];
}

function validatePinnedRevision(set: SidecarSet, revisions: RevisionLookup): FieldError[] {
  const pinned = set.spec.injectionStrategy?.revision;
  if (!pinned) return [];
  const { revisionName, customVersion, policy = '' } = pinned;
  const shown = new Verbatim(goSyntax(INJECT_REVISION, pinned));
  const errors: FieldError[] = [];
  if (revisionName === undefined && customVersion === undefined) {
    errors.push(invalid('revision', shown, 'revisionName and customVersion cannot be empty simultaneously'));
  } else if (findPinnedRevision(set, revisions) === undefined) {
    const missing = `ControllerRevision.apps "${revisionName ?? set.metadata.name}" not found`;
    errors.push(invalid('revision', undefined, `Cannot find specific ControllerRevision, err: ${missing}`));
  }
  if (!['', 'Always', 'Partial'].includes(policy)) {
    errors.push(invalid('revision.policy', shown, `Invalid policy ${policy}, supported: [Always, Partial]`));
  }
  return errors;
}

function validateSidecars({ spec }: SidecarSet): FieldError[] {
  return [
    ...(spec.initContainers ?? []).flatMap((container, i) => validateInitSidecar(container, `spec[${i}]`)),
    ...(spec.containers ?? []).flatMap((container, i) => validateSidecar(container, `spec[${i}]`)),
    ...validateAsPod(spec),
  ];
}

function validateInitSidecar(container: SidecarContainer, path: string): FieldError[] {
  if (!container.resourcesPolicy) return [];
  const at = `${path}.resourcesPolicy`;
  if (isNativeSidecar(container)) return validateResourcesPolicy(container, at);
  return [refused(container, at, 'resourcesPolicy is only supported for containers with RestartPolicy Always')];
}

function validateSidecar(container: SidecarContainer, path: string): FieldError[] {
  const { podInjectPolicy = '', shareVolumePolicy } = container;
  const errors: FieldError[] = [];
  if (!['BeforeAppContainer', 'AfterAppContainer'].includes(podInjectPolicy)) {
    errors.push(invalid('spec.container.podInjectPolicy', podInjectPolicy, 'unsupported pod inject policy'));
  }
  if (!['enabled', 'disabled'].includes(shareVolumePolicy?.type ?? '')) {
    const shown = new Verbatim(goSyntax(SHARE_VOLUME_POLICY, shareVolumePolicy));
    errors.push(invalid('spec.container.shareVolumePolicy', shown, 'unsupported share volume policy'));
  }
  return [
    ...errors,
    ...validateTransferEnv(container.transferEnv, `${path}.transferEnv`),
    ...validateResourcesPolicy(container, `${path}.resourcesPolicy`),
  ];
}
