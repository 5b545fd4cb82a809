import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pod, sidecarSet } from '../reviews.js';
import { Pieces } from './pieces.js';

/** A SidecarSet with a value in nearly every field that is read. */
export const RICH_SET = sidecarSet({
  initContainers: [
    { name: 'init', image: 'init:v1', restartPolicy: 'Always', volumeMounts: [{ name: 'conf', mountPath: '/conf' }] },
  ],
  containers: [
    {
      name: 'mesh',
      image: 'mesh@sha256:0123',
      podInjectPolicy: 'AfterAppContainer',
      upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'empty:v1' },
      shareVolumePolicy: { type: 'enabled' },
      transferEnv: [
        { sourceContainerName: 'app', envName: 'PATH' },
        { sourceContainerNameFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } }, envNames: ['A'] },
      ],
      env: [{ name: 'A', value: '1' }],
      volumeMounts: [{ name: 'conf', mountPath: '/conf', subPathExpr: '$(A)' }],
      livenessProbe: { httpGet: { path: '/', port: 80 } },
      resourcesPolicy: { targetContainersMode: 'sum', resourcesExpr: { limits: { cpu: 'max(cpu*50%, 50m)' } } },
      ports: [{ containerPort: 80 }],
    },
    { name: 'log', image: 'log:v1', resources: { requests: { cpu: '100m', memory: '1Gi' } } },
  ],
  volumes: [
    { name: 'conf', emptyDir: {} },
    { name: 'secret', secret: { secretName: 's' } },
  ],
  imagePullSecrets: [{ name: 'pull' }],
  patchPodMetadata: [{ annotations: { key: '{"a":1}' }, patchPolicy: 'MergePatchJson' }],
  injectionStrategy: { revision: { revisionName: 'mesh-1', policy: 'Partial' } },
  updateStrategy: {
    maxUnavailable: 3,
    selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
    priorityStrategy: { weightPriority: [{ weight: 5, matchSelector: { matchLabels: { a: 'b' } } }] },
    scatterStrategy: [{ key: 'a', value: '*' }],
    steps: [{ pods: 1, pause: {} }],
    failurePolicy: { maxFailures: '5%' },
  },
});

/** The same without what keeps it from being stored and injected. */
export const INJECTED_SET = {
  ...RICH_SET,
  spec: { ...RICH_SET.spec, injectionStrategy: {}, initContainers: [], patchPodMetadata: [] },
};

/** A pod that was injected before, with a value in nearly every field that is read. */
export const RICH_POD = {
  ...pod(),
  metadata: {
    name: 'web-1',
    labels: { app: 'web' },
    annotations: {
      'kruise.io/sidecarset-hash': '{"old":{"hash":"1"}}',
      'kruise.io/sidecarset-working-hotupgrade-container': '{"x":"x-1"}',
      'version.sidecarset.kruise.io/mesh-1': '7',
      key: '{"b":2}',
    },
  },
  spec: {
    initContainers: [{ name: 'setup', image: 'i' }],
    containers: [
      {
        name: 'app',
        image: 'app:v1',
        env: [
          { name: 'PATH', value: '/bin' },
          { name: 'FROM', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
        volumeMounts: [{ name: 'data', mountPath: '/data', subPathExpr: '$(PATH)' }],
        volumeDevices: [{ name: 'disk', devicePath: '/dev/x' }],
      },
      { name: 'mesh-2', image: 'clash' },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
    imagePullSecrets: [{ name: 'own' }],
  },
};

type Document = Record<string, unknown>;

/** What OpenKruise was recorded with: real manifests of every kind of SidecarSet and the pods that they select. */
const recorded = readRecorded(join(import.meta.dirname, '../../../../testdata/golden/open'));

export const SETS: readonly object[] = [RICH_SET, INJECTED_SET, ...recorded.sets];
export const PODS: readonly object[] = [RICH_POD, ...recorded.pods];
export const PIECES = new Pieces([...SETS, ...PODS]);

function readRecorded(folder: string): { sets: Document[]; pods: Document[] } {
  const [sets, pods]: [Document[], Document[]] = [[], []];
  for (const file of readdirSync(folder)) {
    const recording = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      sidecarSets?: Document[];
      sidecarSet?: Document;
      pod?: Document;
    };
    sets.push(...(recording.sidecarSets ?? []), ...(recording.sidecarSet ? [recording.sidecarSet] : []));
    if (recording.pod) pods.push(recording.pod);
  }
  return { sets, pods };
}
