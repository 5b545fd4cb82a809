/** The JSON of a pod as API servers send it, with everything that admission, the scheduler and the kubelet add: about 13 KB. */
export function realisticPodJson(index: number): string {
  const app = `shop-${index % 40}`;
  const hash = (index % 120).toString(16).padStart(10, '0');
  const name = `${app}-${hash}-${index.toString(36).padStart(5, '0')}`;
  const uid = `${index.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
  const time = new Date(Date.UTC(2026, 0, 1, 0, 0, index % 3600)).toISOString().replace('.000', '');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${app}-${hash}-`,
      namespace: `team-${index % 25}`,
      uid,
      resourceVersion: String(100_000 + index),
      creationTimestamp: time,
      labels: { app, 'pod-template-hash': hash, 'app.kubernetes.io/name': app, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: annotations(index, time),
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${app}-${hash}`,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: ['kube-controller-manager', 'kubelet', 'sidestep'].map((manager) => managedFields(manager, time)),
    },
    spec: podSpec(index, app),
    status: podStatus(index, time),
  });
}

const NAMES = ['mesh-1', 'mesh-2', 'app', 'metrics'];

const imageOf = (name: string, index: number): string =>
  name === 'mesh-2'
    ? 'registry.example/sidestep/empty:v1'
    : `registry.example/team-${index % 25}/${name}:v${name === 'app' ? index % 40 : 1}`;

function annotations(index: number, time: string): Record<string, string> {
  const record = {
    updateTimestamp: time,
    hash: 'bv6d2fc7'.repeat(8),
    sidecarSetName: 'mesh',
    sidecarList: ['mesh'],
    controllerRevision: 'mesh-6c5f7bd9b4',
  };
  return {
    'kruise.io/sidecarset-hash': JSON.stringify({ mesh: record }),
    'kruise.io/sidecarset-hash-without-image': JSON.stringify({ mesh: record }),
    'kruise.io/sidecarset-injected-list': 'mesh',
    'kruise.io/sidecarset-working-hotupgrade-container': '{"mesh":"mesh-1"}',
    'version.sidecarset.kruise.io/mesh-1': '1',
    'version.sidecarset.kruise.io/mesh-2': '0',
    'versionalt.sidecarset.kruise.io/mesh-1': '0',
    'versionalt.sidecarset.kruise.io/mesh-2': '1',
    'prometheus.io/scrape': 'true',
    'checksum/config': index.toString(16).padStart(64, 'a'),
  };
}

function podSpec(index: number, app: string) {
  const env = Array.from({ length: 14 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value-of-setting-${i}-for-${app}`,
  }));
  const probe = {
    httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
  const containers = NAMES.map((name) => ({
    name,
    image: imageOf(name, index),
    env,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/config', readOnly: true },
      { name: `kube-api-access-${index}`, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ],
    readinessProbe: probe,
    livenessProbe: probe,
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }));
  return {
    containers,
    volumes: [
      { name: 'config', configMap: { name: `${app}-config`, defaultMode: 420 } },
      {
        name: `kube-api-access-${index}`,
        projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }], defaultMode: 420 },
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: app,
    nodeName: `node-${index % 300}`,
    schedulerName: 'default-scheduler',
    tolerations: ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })),
  };
}

function podStatus(index: number, time: string) {
  const id = (name: string) =>
    `containerd://${(index * 7919).toString(16).padStart(56, '0')}${Buffer.from(name).toString('hex').slice(0, 8)}`;
  return {
    phase: 'Running',
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
      (type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: time }),
    ),
    hostIP: `10.0.${index % 250}.1`,
    podIP: `10.1.${index % 250}.${index % 200}`,
    podIPs: [{ ip: `10.1.${index % 250}.${index % 200}` }],
    startTime: time,
    containerStatuses: NAMES.map((name) => ({
      name,
      image: imageOf(name, index),
      imageID: `registry.example/${name}@sha256:${(index % 40).toString(16).padStart(64, 'b')}`,
      containerID: id(name),
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: time } },
      lastState: {},
    })),
    qosClass: 'Burstable',
  };
}

function managedFields(manager: string, time: string) {
  const fields = Object.fromEntries(
    Array.from({ length: 24 }, (_, i) => [`f:field${i}`, { '.': {}, 'f:name': {}, 'f:value': {} }]),
  );
  return {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': fields },
  };
}
