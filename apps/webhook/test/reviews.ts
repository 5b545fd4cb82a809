import type { AdmissionRequest } from '../src/admission/review.js';

/** A request as an API server sends it for a new pod. */
export const podRequest = (pod: unknown, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  uid: 'request-1',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  namespace: 'shop',
  operation: 'CREATE',
  object: pod,
  oldObject: undefined,
  dryRun: false,
  ...more,
});

export const sidecarSetRequest = (set: unknown, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  uid: 'request-2',
  kind: { group: 'apps.kruise.io', version: 'v1beta1', kind: 'SidecarSet' },
  resource: { group: 'apps.kruise.io', version: 'v1beta1', resource: 'sidecarsets' },
  operation: 'CREATE',
  object: set,
  oldObject: undefined,
  dryRun: false,
  ...more,
});

export const review = (request: unknown, apiVersion = 'admission.k8s.io/v1'): string =>
  JSON.stringify({ apiVersion, kind: 'AdmissionReview', request });

export const pod = (labels: Record<string, string> = { app: 'web' }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', labels },
  spec: { containers: [{ name: 'app', image: 'app:v1' }] },
});

export const sidecarSet = (spec: object = {}, name = 'mesh') => ({
  apiVersion: 'apps.kruise.io/v1beta1',
  kind: 'SidecarSet',
  metadata: { name },
  spec: { selector: { matchLabels: { app: 'web' } }, containers: [{ name: 'mesh', image: 'mesh:v1' }], ...spec },
});
