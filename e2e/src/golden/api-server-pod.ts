import { readFileSync } from 'node:fs';
import {
  type Container,
  type EnvVar,
  type LabelSelector,
  matchesSelector,
  type Pod,
  type Volume,
} from '@sidestep/core';
import { parseAllDocuments } from 'yaml';
import { isObject } from './compare.js';
import { withoutNewer } from './openkruise-fields.js';
import { withProbeDefaults } from './probe-defaults.js';

const CONFIGURATIONS = new URL('../../../deploy/kustomize/base/webhook-configurations.yaml', import.meta.url);
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = 'kube-api-access-XXXXX';

/** Whether the shipped webhook configuration sends pods of a namespace with these labels to the webhook. */
export function reachesWebhook(namespaceLabels: Record<string, string>): boolean {
  selector ??= podWebhookSelector();
  return matchesSelector(selector, namespaceLabels);
}
let selector: LabelSelector | undefined;

function podWebhookSelector(): LabelSelector {
  const documents = parseAllDocuments(readFileSync(CONFIGURATIONS, 'utf8')).map((document) => document.toJS());
  const webhooks = documents.flatMap((document) => (isObject(document) ? ((document.webhooks as object[]) ?? []) : []));
  const found = webhooks.find((webhook) => 'name' in webhook && webhook.name === 'mpod.kb.io');
  return (found as { namespaceSelector?: LabelSelector } | undefined)?.namespaceSelector ?? {};
}

/** A pod as the API server hands it to webhooks: with the defaults of its version, and what its own plugins add first. */
export function posted(pod: Pod): Pod {
  const { serviceAccountName = pod.spec.serviceAccount ?? 'default', tolerations, ...spec } = pod.spec as FilledSpec;
  const mountsToken = spec.automountServiceAccountToken !== false;
  const whole = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName,
    serviceAccount: serviceAccountName,
    securityContext: {},
    schedulerName: 'default-scheduler',
    tolerations: withNodeTolerations(tolerations),
    // What a named class says only the server knows.
    ...(spec.priorityClassName === undefined ? { priority: 0, preemptionPolicy: 'PreemptLowerPriority' } : {}),
    enableServiceLinks: true,
    ...spec,
  };
  const own = spec.volumes?.map(withModes);
  const volumes = own || mountsToken ? { volumes: [...(own ?? []), ...(mountsToken ? [tokenVolume()] : [])] } : {};
  return admitted({ ...pod, spec: { ...whole, ...volumes } } as Pod, pod);
}

const FILES = ['configMap', 'secret', 'projected', 'downwardAPI'];

function withModes(volume: Volume): Volume {
  const sources = Object.entries(volume).map(([key, held]) =>
    FILES.includes(key) && isObject(held) ? [key, { defaultMode: 420, ...held }] : [key, held],
  );
  return Object.fromEntries(sources) as Volume;
}

interface Toleration {
  key?: string;
  effect?: string;
}

type FilledSpec = Pod['spec'] & {
  serviceAccountName?: string;
  serviceAccount?: string;
  priorityClassName?: string;
  tolerations?: Toleration[];
};

/** A pod's own tolerations, with those of a node that is away where it has none for that. */
function withNodeTolerations(own: Toleration[] = []): Toleration[] {
  const has = (wanted: Toleration): boolean =>
    own.some(({ key = '', effect = '' }) => ['', wanted.key].includes(key) && ['', wanted.effect].includes(effect));
  return [...own, ...[notReady('not-ready'), notReady('unreachable')].filter((each) => !has(each))];
}

const notReady = (state: string) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
});

const tokenVolume = () => ({
  name: TOKEN_VOLUME,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 420,
  },
});

/**
 * A pod as the API server keeps it once webhooks are through with it: the defaults that they left to it, the token in containers
 * that they added, and none of the fields in those that no server knows. What it says of the pod (its status) is not in it.
 *
 * @param own the pod that the webhooks got
 */
export function admitted({ status: _status, ...pod }: Pod, own: Pod): Pod {
  const token = ((pod.spec.volumes as { name: string }[]) ?? []).find(({ name }) =>
    name.startsWith('kube-api-access-'),
  );
  const complete = (container: Container, ownList: Container[] = []): Container => {
    const isOwn = ownList.some((each) => each.name === container.name);
    const known = isOwn ? container : (withoutNewer(container, 'Container') as Container);
    return withToken(withDefaults(known, pod.spec.hostNetwork === true), token?.name);
  };
  const { containers, initContainers } = pod.spec;
  const init = initContainers?.map((each) => complete(each, own.spec.initContainers));
  const lists = {
    containers: containers.map((each) => complete(each, own.spec.containers)),
    ...(init ? { initContainers: init } : {}),
  };
  return { ...pod, spec: { ...pod.spec, ...lists } };
}

function withToken(container: Container, token: string | undefined): Container {
  const mounts = container.volumeMounts ?? [];
  if (token === undefined || mounts.some(({ mountPath }) => mountPath === TOKEN_PATH)) return container;
  return { ...container, volumeMounts: [...mounts, { name: token, readOnly: true, mountPath: TOKEN_PATH }] };
}

function withDefaults(container: Container, isOnHost: boolean): Container {
  const { limits, requests } = container.resources ?? {};
  const resources = { ...container.resources, ...(limits ? { requests: { ...limits, ...requests } } : {}) };
  const ports = (container.ports as { protocol?: string; containerPort?: number }[] | undefined)?.map((port) => ({
    protocol: 'TCP',
    ...(isOnHost ? { hostPort: port.containerPort } : {}),
    ...port,
  }));
  const image = container.image ?? '';
  const isLatest = !image.includes('@') && (/:latest$/.test(image) || !/:[^/]*$/.test(image));
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) =>
    isObject(container[name]) ? [[name, withService(withProbeDefaults(container[name]))]] : [],
  );
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    ...withSourceDefaults(container),
    resources,
    ...(ports ? { ports } : {}),
    ...Object.fromEntries(probes),
  } as Container;
}

/** Of a gRPC probe the server alone fills in whom it asks for. */
const withService = (probe: Record<string, unknown>): Record<string, unknown> =>
  isObject(probe.grpc) ? { ...probe, grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } } : probe;

/** What the source of an env leaves to the server. */
const SOURCE_DEFAULTS: Record<string, object> = {
  fieldRef: { apiVersion: 'v1' },
  resourceFieldRef: { divisor: '0' },
  fileKeyRef: { optional: false },
};

function withSourceDefaults(container: Container): Container {
  const env = container.env?.map((variable): EnvVar => {
    if (variable.valueFrom === undefined) return variable;
    const sources = Object.entries(variable.valueFrom).map(([key, held]) => [
      key,
      { ...SOURCE_DEFAULTS[key], ...(held as object) },
    ]);
    return { ...variable, valueFrom: Object.fromEntries(sources) };
  });
  return env === undefined ? container : { ...container, env };
}
