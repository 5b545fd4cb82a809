import { KRUISE, type Pod } from '@sidestep/core';
import { until } from '@sidestep/e2e';
import { isConflict, type KubeApi, type KubeObject, Reflector, type ResourceKind } from '@sidestep/kube';

const PODS: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const EVENTS: ResourceKind = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
const DEADLINE_MS = 600_000;

type StoredPod = KubeObject & Pod;

/**
 * Makes the calls that OpenKruise 1.9 makes for a hot rollout of pods, as they were counted at an API server: per pod a PUT
 * that upgrades it and a PATCH of its condition unless it has it, one pod after another; when all are upgraded per pod a PUT that empties the old
 * container and a POST of an Event. It shows what those calls cost this API server on this machine. OpenKruise writes pods as
 * protobuf, which is not done here and costs the API server somewhat less than JSON.
 */
export class KruiseCalls {
  private readonly pods: Reflector<StoredPod>;

  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
  ) {
    this.pods = new Reflector<StoredPod>({ api, kind: PODS, namespace, transform: (pod) => pod as StoredPod });
  }

  async start(): Promise<void> {
    this.pods.start();
    await this.pods.synced();
  }

  async stop(): Promise<void> {
    await this.pods.stop();
  }

  /** The condition is written when it is not there, which is in the first rollout. */
  async upgrade(image: string, round: number): Promise<void> {
    const pair = pairOf(round);
    for (const key of [...this.pods.store.keys()]) {
      const { name, conditioned } = await this.put(key, (pod) => withImages(pod, { [pair.to]: image }, pair));
      if (conditioned) continue;
      const conditions = [condition(this.namespace)];
      await this.api.patch(
        PODS,
        { namespace: this.namespace, name },
        { status: { conditions } },
        {
          type: 'strategic',
          subresource: 'status',
        },
      );
    }
  }

  async reset({ image, idle }: { image: string; idle: string }, round: number): Promise<void> {
    const pair = pairOf(round);
    for (const key of [...this.pods.store.keys()]) {
      await until(() => runs(this.pods.store.get(key), image) || undefined, 'the kubelet', DEADLINE_MS);
      const pod = await this.put(key, (stored) => withImages(stored, { [pair.from]: idle }, pair));
      await this.api.create(EVENTS, resetEvent({ ...pod, round }, this.namespace));
    }
  }

  /** As a controller that is told of a conflict does: again, on what the watch has brought since. */
  private async put(
    key: string,
    change: (pod: StoredPod) => StoredPod,
  ): Promise<{ name: string; uid: string; conditioned: boolean }> {
    for (;;) {
      const pod = this.pods.store.get(key);
      if (pod === undefined) throw new Error(`${key} is gone`);
      const { name = '', uid = '', resourceVersion } = pod.metadata;
      try {
        await this.api.replace(PODS, change(pod));
        const conditioned = pod.status?.conditions?.some(({ type }) => type === KRUISE.upgradableCondition) === true;
        return { name, uid, conditioned };
      } catch (error) {
        if (!isConflict(error)) throw error;
        await until(() => this.pods.store.get(key)?.metadata.resourceVersion !== resourceVersion || undefined, key);
      }
    }
  }
}

/** The pair takes turns. */
const pairOf = (round: number): { to: string; from: string } =>
  round % 2 === 1 ? { to: 'mesh-2', from: 'mesh-1' } : { to: 'mesh-1', from: 'mesh-2' };

/** As Kubernetes writes times: whole seconds. */
const toTimestamp = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');

const runs = (pod: StoredPod | undefined, image: string): boolean =>
  pod?.status?.containerStatuses?.some((status) => status.image === image && status.ready) === true;

/** The annotations differ from OpenKruise's in their values, not in their names and sizes. */
const withImages = (
  pod: StoredPod,
  images: Record<string, string>,
  { to, from }: { to: string; from: string },
): StoredPod => {
  const annotations = pod.metadata.annotations ?? {};
  const updateTimestamp = toTimestamp(new Date());
  const imageID = `mesh@sha256:${'0'.repeat(64)}`;
  const lastContainerStatuses = { [to]: { imageID }, [from]: { imageID } };
  const state = {
    [pod.metadata.namespace ?? '']: { revision: '0'.repeat(64), updateTimestamp, lastContainerStatuses },
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: {
        ...annotations,
        [KRUISE.hash]: (annotations[KRUISE.hash] ?? '').replace(
          /"updateTimestamp":"[^"]*"/,
          `"updateTimestamp":"${updateTimestamp}"`,
        ),
        [KRUISE.inPlaceUpdateState]: JSON.stringify(state),
        [KRUISE.workingHotContainer]: JSON.stringify({ mesh: to }),
        [`version.sidecarset.kruise.io/${to}`]: pod.metadata.resourceVersion ?? '',
        [`versionalt.sidecarset.kruise.io/${from}`]: pod.metadata.resourceVersion ?? '',
      },
    },
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map((one) => ({ ...one, image: images[one.name] ?? one.image })),
    },
  } as StoredPod;
};

const condition = (set: string): object => ({
  type: KRUISE.upgradableCondition,
  status: 'True',
  reason: 'AllSidecarsetUpgradable',
  lastTransitionTime: toTimestamp(new Date()),
  message: JSON.stringify({ [set]: true }),
});

const resetEvent = (
  { name, uid, round }: { name: string; uid: string; round: number },
  namespace: string,
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${name}.reset-${round}`, namespace },
  involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
  type: 'Normal',
  reason: 'ResetContainerSucceed',
  message: 'reset sidecar container image empty successfully',
  source: { component: 'sidecarset-controller' },
});
