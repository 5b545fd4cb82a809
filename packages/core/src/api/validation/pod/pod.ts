import type { FieldError } from '../../field-error.js';
import type { SidecarSetSpec } from '../../sidecarset.js';
import { validateContainers, validateImageSpace, validateInitContainers } from './containers.js';
import { validateVolumes } from './volumes.js';
import { validateHostProcess } from './windows-options.js';

/**
 * The sidecars and volumes of a set, held to the rules of Kubernetes 1.32 for a new pod that consists of nothing else. Volumes
 * of the app's own pods are not known here, so a sidecar may mount the set's volumes only.
 */
export function validateAsPod(spec: SidecarSetSpec): FieldError[] {
  const { containers: own = [], initContainers = [] } = spec;
  const containers = containersOrOne(own);
  const volumes = validateVolumes(spec.volumes, 'spec.volumes');
  return [
    ...volumes.errors,
    ...validateContainers(own, volumes.valid, 'spec.containers'),
    ...validateInitContainers(initContainers, containers, volumes.valid, 'spec.initContainers'),
    ...validateHostProcess([...initContainers, ...containers], 'spec'),
    ...validateImageSpace(own, 'spec.containers'),
    ...validateImageSpace(initContainers, 'spec.initContainers'),
  ];
}

/** A pod needs a container: OpenKruise makes one up, whose name no init container may have. */
const containersOrOne = (containers: unknown[]): unknown[] => (containers.length > 0 ? containers : [{ name: 'test' }]);
