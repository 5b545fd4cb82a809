import { describe, expect, test } from '@jest/globals';
import { applyJsonPatch, type JsonPatch } from '@sidestep/core';
import { createLogger, createMetrics } from '@sidestep/observability';
import { memoryView } from '../../test/memory-view.js';
import { Mutations } from '../../test/mutations.js';
import { pod, podRequest, review, sidecarSet, sidecarSetRequest } from '../../test/reviews.js';
import { MalformedReview } from './review.js';
import { Reviews, type Webhook } from './reviews.js';

/** Per webhook and kind of damage; 15,000 make a hundred thousand in all. */
const RUNS = Number(process.env.SIDESTEP_FUZZ_RUNS ?? 500);

const RICH_SET = sidecarSet({
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
      resources: { requests: { cpu: '100m', memory: '1Gi' } },
      resourcesPolicy: { targetContainersMode: 'sum', resourcesExpr: { limits: { cpu: 'max(cpu*50%, 50m)' } } },
      ports: [{ containerPort: 80 }],
    },
  ],
  volumes: [
    { name: 'conf', emptyDir: {} },
    { name: 'secret', secret: { secretName: 's' } },
  ],
  imagePullSecrets: [{ name: 'pull' }],
  patchPodMetadata: [{ annotations: { key: '{"a":1}' }, patchPolicy: 'MergePatchJson' }],
  injectionStrategy: { revision: { revisionName: 'mesh-1', policy: 'Partial' } },
  updateStrategy: {
    partition: '20%',
    maxUnavailable: 3,
    selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
    priorityStrategy: { weightPriority: [{ weight: 5, matchSelector: { matchLabels: { a: 'b' } } }] },
    scatterStrategy: [{ key: 'a', value: '*' }],
    steps: [{ pods: 1, pause: {} }],
    failurePolicy: { maxFailures: '5%' },
  },
});

const RICH_POD = {
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

const view = memoryView({
  sidecarSets: [
    { ...RICH_SET, spec: { ...RICH_SET.spec, injectionStrategy: {} } },
    sidecarSet({ containers: [{ name: 'plain', image: 'p:1' }] }, 'plain'),
  ],
});
const metrics = createMetrics({ processMetrics: false });
const reviews = new Reviews({
  view,
  metrics,
  log: createLogger({ name: 'test', level: 'silent' }),
  now: () => new Date(0),
});

const REQUESTS: Record<Exclude<Webhook, 'convert'>, object> = {
  'mutate-pod': podRequest(RICH_POD),
  'mutate-sidecarset': sidecarSetRequest(RICH_SET),
  'validate-sidecarset': sidecarSetRequest(RICH_SET, { operation: 'UPDATE', oldObject: RICH_SET }),
};

interface Response {
  uid: unknown;
  allowed: unknown;
  status?: { code: number; message: string };
  patch?: string;
}

/** What an API server checks of an answer; `undefined` when it would take it. */
const objection = (body: string, sent: { uid?: unknown; object?: unknown }): string | undefined => {
  const { response } = JSON.parse(body) as { response: Response };
  if (response.uid !== sent.uid) return 'another uid';
  if (typeof response.allowed !== 'boolean') return 'no decision';
  if (!response.allowed) return response.status?.code === 500 ? response.status.message : undefined;
  if (response.patch === undefined) return undefined;
  try {
    const patched = applyJsonPatch(
      sent.object,
      JSON.parse(Buffer.from(response.patch, 'base64').toString()) as JsonPatch,
    );
    return typeof patched === 'object' ? undefined : 'the patch leaves no object';
  } catch (error) {
    return `the patch does not apply: ${String(error)}`;
  }
};

const answer = async (webhook: Webhook, body: string): Promise<string | undefined> => {
  try {
    return (await reviews.answer(webhook, body)).body;
  } catch (error) {
    if (error instanceof MalformedReview) return undefined;
    throw error;
  }
};

describe.each(Object.entries(REQUESTS))('whatever is sent to %s', (webhook, request) => {
  test('gets an answer that an API server takes, or is refused as no review', async () => {
    const mutations = new Mutations(4711);
    for (let run = 0; run < RUNS; run++) {
      const damaged = mutations.damage(request) as { uid?: unknown; object?: unknown };
      const body = review(damaged);
      const answered = await answer(webhook as Webhook, body);
      const problem = answered === undefined ? undefined : objection(answered, JSON.parse(body).request);
      expect([run, problem, problem === undefined ? '' : body.slice(0, 3_000)]).toEqual([run, undefined, '']);
    }
  }, 600_000);

  test('with broken text is refused as no review, or answered', async () => {
    const mutations = new Mutations(42);
    for (let run = 0; run < RUNS; run++) await answer(webhook as Webhook, mutations.damageText(review(request)));
    expect(Object.prototype).not.toHaveProperty('polluted');
  }, 600_000);
});

test('whatever is sent to be converted is converted, or refused with a reason', async () => {
  const mutations = new Mutations(99);
  for (let run = 0; run < RUNS; run++) {
    const request = mutations.damage({ uid: 'u', desiredAPIVersion: 'apps.kruise.io/v1alpha1', objects: [RICH_SET] });
    const body = JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request });
    const answered = await answer('convert', body);
    if (answered === undefined) continue;
    const { response } = JSON.parse(answered) as { response: { result: { status: string; message?: string } } };
    expect(response.result.status === 'Success' || response.result.message).toBeTruthy();
  }
}, 600_000);
