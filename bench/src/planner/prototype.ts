import {
  applyJsonPatch,
  decidePodUpgrade,
  defaultSidecarSet,
  type FullPod,
  injectPod,
  type Pod,
  type SidecarSet,
  SidecarSetIndex,
  upgradeTarget,
  withHashes,
} from '@sidestep/core';
import { acknowledge } from '@sidestep/testkit';
import { realisticPodJson } from '../pods/realistic-pod.js';

const SET = 'mesh-00000';
const POD = 'pod-0000000';
const UID = 'uid-0000000';
const VERSION = '1000000001';
const EMPTY_IMAGE = `mesh-idle:1@sha256:${'1d'.repeat(32)}`;

/** The steps of a pod through one hot upgrade, as a watch shows them. */
export const STEPS = ['idle', 'begun', 'migrated', 'emptied', 'done'] as const;
export type Step = (typeof STEPS)[number];

/** SidecarSets and pods that differ in their names alone, as the JSON that an API server sends. */
export class Prototypes {
  private readonly texts: Record<Step, string>;

  constructor(now: Date) {
    const [v1, v2] = [this.sidecarSet(0, 'mesh:v1'), this.sidecarSet(0, 'mesh:v2', 2)];
    const idle = acknowledged(injected(v1, now), now);
    const begun = written(idle, v2, now);
    const migrated = acknowledged(begun, now);
    const emptied = written(migrated, v2, now);
    const steps = { idle, begun, migrated, emptied, done: acknowledged(emptied, now) };
    this.texts = Object.fromEntries(STEPS.map((step) => [step, JSON.stringify(steps[step])])) as Record<Step, string>;
  }

  sidecarSet(index: number, image: string, generation = 1): SidecarSet {
    const name = setName(index);
    const container = {
      name: 'mesh',
      image,
      upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: EMPTY_IMAGE },
    };
    const set = defaultSidecarSet({
      apiVersion: 'apps.kruise.io/v1beta1',
      kind: 'SidecarSet',
      metadata: { name, uid: `uid-of-${name}`, generation, resourceVersion: String(generation), annotations: {} },
      spec: {
        selector: { matchLabels: { mesh: 'yes' } },
        updateStrategy: { maxUnavailable: '10%' },
        containers: [container],
      },
    });
    return withHashes(set);
  }

  /** @param version of the object, which rises with each event */
  podText(set: number, pod: number, step: Step, version: number): string {
    return this.texts[step]
      .replaceAll(SET, setName(set))
      .replaceAll(POD, `pod-${digits(pod, 7)}`)
      .replaceAll(UID, `uid-${digits(pod, 7)}`)
      .replace(VERSION, String(1_000_000_001 + version));
  }
}

const digits = (value: number, count: number): string => String(value).padStart(count, '0');

export const setName = (index: number): string => `mesh-${digits(index, 5)}`;

function injected(set: SidecarSet, now: Date): FullPod {
  const realistic = JSON.parse(realisticPodJson(1)) as Pod;
  const { managedFields } = realistic.metadata as { managedFields?: unknown };
  const containers = realistic.spec.containers.filter(({ name }) => !name.startsWith('mesh'));
  const metadata = {
    name: POD,
    namespace: 'shop',
    uid: UID,
    resourceVersion: VERSION,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { ...realistic.metadata.labels, mesh: 'yes' },
    annotations: { 'prometheus.io/scrape': 'true' },
    managedFields,
  };
  const { pod } = injectPod({
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...realistic.spec, nodeName: 'node-1', containers },
    } as Pod,
    namespace: 'shop',
    namespaceLabels: {},
    sidecarSets: new SidecarSetIndex([set]),
    revisions: { byName: () => undefined, byCustomVersion: () => undefined },
    now,
  });
  return pod as FullPod;
}

/** What a kubelet reports once everything runs. */
function acknowledged(pod: FullPod, now: Date): FullPod {
  const status = acknowledge(pod as unknown as Parameters<typeof acknowledge>[0], now, () => false);
  return { ...pod, status: { ...pod.status, ...status } } as FullPod;
}

/** What a worker writes. */
function written(pod: FullPod, set: SidecarSet, now: Date): FullPod {
  const { patch } = decidePodUpgrade({ target: upgradeTarget(set), pod, now });
  if (patch === undefined) throw new Error('nothing is due on the prototype pod');
  return applyJsonPatch(pod, patch);
}
