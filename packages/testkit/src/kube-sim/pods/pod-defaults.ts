import type { SimObject } from '../types.js';

type Plain = Record<string, unknown>;

const fill = (target: Plain, defaults: Plain): void => {
  for (const [key, value] of Object.entries(defaults)) target[key] ??= structuredClone(value);
};

/** What the API server fills into a new pod (kubernetes.io, Pod API reference, and the default admission plugins). */
export function defaultPod(pod: SimObject): void {
  pod.spec ??= {};
  const spec = pod.spec as Plain;
  for (const container of containersOf(spec)) defaultContainer(container);
  for (const volume of listOf(spec.volumes)) defaultVolume(volume);
  fill(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  });
}

/** What the ServiceAccount, Priority and DefaultTolerationSeconds plugins add on creation; no token is mounted. */
export function admitPod(pod: SimObject): void {
  const spec = pod.spec as Plain;
  const account = spec.serviceAccountName ?? spec.serviceAccount ?? 'default';
  fill(spec, {
    serviceAccountName: account,
    serviceAccount: account,
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
  });
  const tolerations = listOf(spec.tolerations);
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = tolerations.some((toleration) => toleration.key === undefined || toleration.key === key);
    if (!tolerated) tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  }
  spec.tolerations = tolerations;
}

export const listOf = (value: unknown): Plain[] => (Array.isArray(value) ? (value as Plain[]) : []);

export const containersOf = (spec: Plain): Plain[] => [...listOf(spec.initContainers), ...listOf(spec.containers)];

function defaultContainer(container: Plain): void {
  fill(container, {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicyOf(String(container.image ?? '')),
  });
  for (const port of listOf(container.ports)) fill(port, { protocol: 'TCP' });
  for (const variable of listOf(container.env)) defaultEnv(variable);
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    defaultProbe(container[field] as Plain | undefined);
  const lifecycle = container.lifecycle as Record<string, Plain> | undefined;
  for (const hook of Object.values(lifecycle ?? {})) defaultHttpGet(hook?.httpGet as Plain | undefined);
  const resources = container.resources as Record<string, Plain | undefined>;
  if (resources.limits) resources.requests = { ...resources.limits, ...resources.requests };
}

function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultEnv(variable: Plain): void {
  const from = variable.valueFrom as Record<string, Plain> | undefined;
  if (from?.fieldRef) fill(from.fieldRef, { apiVersion: 'v1' });
  if (from?.resourceFieldRef) fill(from.resourceFieldRef, { divisor: '0' });
}

function defaultProbe(probe: Plain | undefined): void {
  if (!probe) return;
  defaultHttpGet(probe.httpGet as Plain | undefined);
  if (probe.grpc) fill(probe.grpc as Plain, { service: '' });
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
}

function defaultHttpGet(get: Plain | undefined): void {
  if (get) fill(get, { path: '/', scheme: 'HTTP' });
}

function defaultVolume(volume: Plain): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  for (const field of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    if (volume[field]) fill(volume[field] as Plain, { defaultMode: 420 });
  }
  const projected = volume.projected as Plain | undefined;
  for (const source of [volume, ...listOf(projected?.sources)]) {
    const items = listOf((source.downwardAPI as Plain | undefined)?.items);
    for (const item of items) if (item.fieldRef) fill(item.fieldRef as Plain, { apiVersion: 'v1' });
  }
  if (volume.hostPath) fill(volume.hostPath as Plain, { type: '' });
}

/** kubernetes.io, "Pod Quality of Service Classes". */
export function qosClassOf(spec: Plain): string {
  const resources = containersOf(spec).map(
    (container) => (container.resources ?? {}) as { limits?: Plain; requests?: Plain },
  );
  const none = resources.every(
    (one) => !Object.keys(one.limits ?? {}).length && !Object.keys(one.requests ?? {}).length,
  );
  if (none) return 'BestEffort';
  const guaranteed = resources.every((one) =>
    ['cpu', 'memory'].every(
      (name) => one.limits?.[name] !== undefined && one.limits[name] === (one.requests?.[name] ?? one.limits[name]),
    ),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
