import { goRoundTrip } from '../schema/go-json.js';
import { SPEC_V1ALPHA1, SPEC_V1BETA1 } from '../schema/sidecarset-types.js';
import type { SidecarSet, SidecarSetSpec } from '../sidecarset.js';
import { isV1alpha1 } from '../versions.js';
import { defaultSidecarContainer } from './container.js';
import { defaultVolume } from './volume.js';

const REVISION_HISTORY_LIMIT = 10;

/**
 * A SidecarSet of either version as the admission webhook stores it: OpenKruise 1.9's defaults set, and the spec as Go would
 * write it (empty optional fields gone, quantities in canonical spelling). Fields of containers and volumes that nobody knows are
 * kept. Only `spec` changes; the input is left alone. Calling it again changes nothing.
 */
export function defaultSidecarSet(set: SidecarSet): SidecarSet {
  const spec = goRoundTrip(isV1alpha1(set) ? SPEC_V1ALPHA1 : SPEC_V1BETA1, set.spec) as SidecarSetSpec;
  defaultUpdateStrategy(spec);
  for (const container of spec.initContainers ?? []) defaultSidecarContainer(container, 'AfterAppContainer');
  for (const container of spec.containers ?? []) defaultSidecarContainer(container, 'BeforeAppContainer');
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  spec.revisionHistoryLimit ??= REVISION_HISTORY_LIMIT;
  for (const patch of spec.patchPodMetadata ?? []) patch.patchPolicy ||= 'Retain';
  const revision = spec.injectionStrategy?.revision;
  if (revision) revision.policy ||= 'Always';
  return { ...set, spec };
}

function defaultUpdateStrategy(spec: SidecarSetSpec): void {
  const strategy = spec.updateStrategy ?? {};
  strategy.type ||= 'RollingUpdate';
  strategy.maxUnavailable ??= 1;
  strategy.partition ??= 0;
  spec.updateStrategy = strategy;
}
