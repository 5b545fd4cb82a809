import { CONTAINER_TYPES } from './container-types.js';
import { parseTypes, typeNamed } from './notation.js';
import { always, list, nonEmpty, pointer, string, struct } from './shape.js';

const EXPRESSION_RULE =
  'An expression of cpu or memory, numbers, percentages and quantities, such as max(cpu*50%, 200m).';

const resourceExpressions = (goName: string) =>
  struct(goName, [
    nonEmpty('cpu', string, { description: EXPRESSION_RULE }),
    nonEmpty('memory', string, { description: EXPRESSION_RULE }),
  ]);

export const RESOURCES_EXPR = struct('ResourcesExpr', [
  pointer('limits', resourceExpressions('ResourceExprLimits'), {
    description: 'Limits; one whose targets do not all have it is left unset.',
  }),
  pointer('requests', resourceExpressions('ResourceExprRequests'), {
    description: 'Requests; a target without one counts as zero.',
  }),
]);

export const RESOURCES_POLICY = struct('ResourcesPolicy', [
  always(
    'targetContainersMode',
    { ...string, enum: ['sum', 'max'] },
    {
      required: true,
      description: 'Whether the variables are the sum or the maximum over the target containers.',
    },
  ),
  nonEmpty('targetContainersNameRegex', string, {
    default: '.*',
    description: 'The containers of the pod to compute from, by name, in the syntax of Go.',
  }),
  always('resourcesExpr', RESOURCES_EXPR, { required: true, description: 'What to compute.' }),
]);

const OWN = parseTypes(
  `
SidecarContainerUpgradeStrategy upgradeType?:SidecarContainerUpgradeType hotUpgradeEmptyImage?
ShareVolumePolicy type?:ShareVolumePolicyType
SourceContainerNameSource fieldRef*:ObjectFieldSelector
TransferEnvVar sourceContainerName? sourceContainerNameFrom*:SourceContainerNameSource envName? envNames?:[]string
SidecarFields podInjectPolicy?:PodInjectPolicyType upgradeStrategy?:SidecarContainerUpgradeStrategy
  shareVolumePolicy?:ShareVolumePolicy shareVolumeDevicePolicy*:ShareVolumePolicy transferEnv?:[]TransferEnvVar
  resourcesPolicy*:ResourcesPolicy
`,
  new Map([...CONTAINER_TYPES, ['ResourcesPolicy', RESOURCES_POLICY]]),
  { isKubernetes: false },
);

/** A sidecar container: a Kubernetes container with the fields of OpenKruise 1.9 after its own. */
export const SIDECAR_CONTAINER = struct('SidecarContainer', [
  ...typeNamed(CONTAINER_TYPES, 'Container').fields,
  ...typeNamed(OWN, 'SidecarFields').fields,
]);

export const SIDECAR_CONTAINERS = list(SIDECAR_CONTAINER);

export const SHARE_VOLUME_POLICY = typeNamed(OWN, 'ShareVolumePolicy');
