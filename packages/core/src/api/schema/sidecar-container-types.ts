import { CONTAINER_TYPES } from './container-types.js';
import { parseTypes, typeNamed } from './notation.js';
import { list, struct } from './shape.js';

const OWN = parseTypes(`
SidecarContainerUpgradeStrategy upgradeType? hotUpgradeEmptyImage?
ShareVolumePolicy type?
ObjectFieldSelector apiVersion? fieldPath
SourceContainerNameSource fieldRef*:ObjectFieldSelector
TransferEnvVar sourceContainerName? sourceContainerNameFrom*:SourceContainerNameSource envName? envNames?:[]string
ResourceExprLimits cpu? memory?
ResourceExprRequests cpu? memory?
ResourcesExpr limits*:ResourceExprLimits requests*:ResourceExprRequests
ResourcesPolicy targetContainersMode targetContainersNameRegex? resourcesExpr:ResourcesExpr
SidecarFields podInjectPolicy? upgradeStrategy?:SidecarContainerUpgradeStrategy shareVolumePolicy?:ShareVolumePolicy
  shareVolumeDevicePolicy*:ShareVolumePolicy transferEnv?:[]TransferEnvVar resourcesPolicy*:ResourcesPolicy
`);

/** A sidecar container: a Kubernetes container with the fields of OpenKruise 1.9 after its own. */
export const SIDECAR_CONTAINER = struct('SidecarContainer', [
  ...typeNamed(CONTAINER_TYPES, 'Container').fields,
  ...typeNamed(OWN, 'SidecarFields').fields,
]);

export const SIDECAR_CONTAINERS = list(SIDECAR_CONTAINER);

export const RESOURCES_POLICY = typeNamed(OWN, 'ResourcesPolicy');
export const RESOURCES_EXPR = typeNamed(OWN, 'ResourcesExpr');
export const SHARE_VOLUME_POLICY = typeNamed(OWN, 'ShareVolumePolicy');
