import { SIDECARSET_GROUP } from '../keys.js';
import { type CrdSchema, crdSchema } from './crd-schema.js';
import { SIDECARSET } from './sidecarset-types.js';

/** Where the API server finds the conversion webhook when it is installed from deploy/. */
export interface ConversionService {
  name: string;
  namespace: string;
}

const CONVERSION_SERVICE: ConversionService = { name: 'sidestep-webhook-conversion', namespace: 'kruise-system' };

const count = (name: string, jsonPath: string, description: string, priority = 0) => ({
  name,
  type: 'integer',
  jsonPath,
  description,
  ...(priority > 0 ? { priority } : {}),
});

const PROGRESSING = '.status.conditions[?(@.type=="Progressing")].reason';

/** What `kubectl get sidecarsets` shows: OpenKruise 1.9's columns in its order, and ours behind them with `-o wide`. */
const COLUMNS = [
  count('MATCHED', '.status.matchedPods', 'Pods that carry the sidecars.'),
  count('UPDATED', '.status.updatedPods', 'Matched pods at the newest revision.'),
  count('READY', '.status.readyPods', 'Matched pods that are ready.'),
  { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'REASON',
    type: 'string',
    jsonPath: PROGRESSING,
    description: 'How the rollout is going, in one word.',
    priority: 1,
  },
  count('UPGRADING', '.status.upgradingPods', 'Pods that were begun and are not done.', 1),
  count('FAILED', '.status.failedPods', 'Pods that failed to upgrade.', 1),
  count('STEP', '.status.currentStep', 'Index of the canary step that is worked on.', 1),
  {
    name: 'LATEST',
    type: 'string',
    jsonPath: '.status.latestRevision',
    description: 'The ControllerRevision that the spec makes.',
    priority: 1,
  },
  {
    name: 'CURRENT',
    type: 'string',
    jsonPath: '.status.currentRevision',
    description: 'The last revision that every selected pod ran well.',
    priority: 1,
  },
];

const DESCRIPTION = 'SidecarSet injects sidecar containers into the pods it selects, and upgrades them in place.';

/** Left as any object: the API server checks metadata itself. */
function objectSchema(version: keyof typeof SIDECARSET): CrdSchema {
  const { properties = {} } = crdSchema(SIDECARSET[version]);
  return {
    description: DESCRIPTION,
    type: 'object',
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: 'The version of this API.' },
      kind: { type: 'string', description: 'SidecarSet.' },
      metadata: { type: 'object' },
    },
  };
}

const version = (name: keyof typeof SIDECARSET, isStored: boolean) => ({
  name,
  served: true,
  storage: isStored,
  additionalPrinterColumns: COLUMNS,
  subresources: { status: {} },
  schema: { openAPIV3Schema: objectSchema(name) },
});

/** The CustomResourceDefinition of SidecarSets, from the same description of its types that every rule works with. */
export function sidecarSetCrd(service: ConversionService = CONVERSION_SERVICE) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `sidecarsets.${SIDECARSET_GROUP}`,
      labels: { 'app.kubernetes.io/part-of': 'sidestep' },
    },
    spec: {
      group: SIDECARSET_GROUP,
      scope: 'Cluster',
      names: { kind: 'SidecarSet', listKind: 'SidecarSetList', plural: 'sidecarsets', singular: 'sidecarset' },
      conversion: {
        strategy: 'Webhook',
        webhook: {
          conversionReviewVersions: ['v1', 'v1beta1'],
          clientConfig: { service: { ...service, path: '/convert' } },
        },
      },
      versions: [version('v1alpha1', false), version('v1beta1', true)],
    },
  };
}
