import {
  isConflict,
  isNotFound,
  type KubeApi,
  type KubeObject,
  Reflector,
  type ResourceKind,
  type StoreReader,
} from '@sidestep/kube';
import { acknowledge, type KubeletPod } from './acknowledge.js';

const POD: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

export interface InstantKubeletOptions {
  /** Its rate limit is the kubelet's: give it one that is high enough for the load. */
  api: KubeApi;
  /** Only pods bound to nodes whose names begin so; default `instant-`. */
  nodePrefix?: string;
  /** Between seeing a change and reporting it done, in milliseconds; default 0. */
  delayMs?: number;
  /** Images that cannot be pulled; default those with "bad" in their tag. */
  bad?: (image: string) => boolean;
  onError?: (error: unknown) => void;
}

export interface InstantKubelet {
  /** Status writes so far: one for each change of a pod's images, as a kubelet makes them. */
  readonly writes: number;
  /** Its pods as its watch shows them, cut down to what a status is made from. */
  readonly pods: StoreReader<KubeletPod>;
  /** Resolves once all pods that exist are known. */
  synced(): Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS = 100;
const isBadTag = (image: string): boolean => /:[^/]*bad/.test(image);

/**
 * A kubelet for any number of nodes that runs nothing: every change of a pod is reported as done, and a deleted pod goes at once.
 * It keeps nothing but what is under way, so that tens of thousands of pods cost little.
 */
export function startInstantKubelet(options: InstantKubeletOptions): InstantKubelet {
  const { api, nodePrefix = 'instant-', delayMs = 0, bad = isBadTag, onError = () => undefined } = options;
  const waiting = new Map<string, NodeJS.Timeout>();
  const running = new Set<string>();
  /** What was reported and is not yet seen in the watch: seeing the pod change otherwise meanwhile is no reason to say it again. */
  const reported = new Map<string, string>();
  let writes = 0;
  let stopped = false;

  const reflector = new Reflector<KubeletPod>({
    api,
    kind: POD,
    transform: (object) => {
      const pod = object as unknown as KubeletPod;
      return pod.spec?.nodeName?.startsWith(nodePrefix) ? (slim(object) as unknown as KubeletPod) : undefined;
    },
  });

  const write = async (pod: KubeletPod): Promise<void> => {
    const { namespace = '', name = '', uid, deletionTimestamp } = pod.metadata;
    const ref = { namespace, name };
    if (deletionTimestamp !== undefined) {
      const preconditions = uid === undefined ? {} : { uid };
      await api.delete(POD, ref, { gracePeriodSeconds: 0, preconditions });
      return;
    }
    const status = acknowledge(pod, new Date(), bad);
    const key = `${namespace}/${name}`;
    const report = JSON.stringify([uid, status?.containerStatuses, status?.initContainerStatuses], withoutTimes);
    if (status === undefined) reported.delete(key);
    if (status === undefined || reported.get(key) === report) return;
    writes += 1;
    reported.set(key, report);
    await api.patch(POD, ref, { metadata: { uid }, status }, { type: 'strategic', subresource: 'status' });
  };

  const look = async (key: string): Promise<void> => {
    waiting.delete(key);
    const pod = reflector.store.get(key);
    if (pod === undefined || stopped) return;
    if (running.has(key)) return later(key, RETRY_MS);
    running.add(key);
    try {
      await write(pod);
    } catch (error) {
      reported.delete(key);
      if (!isNotFound(error) && !isConflict(error)) onError(error);
      if (!isNotFound(error)) later(key, RETRY_MS);
    } finally {
      running.delete(key);
    }
  };

  const later = (key: string, ms: number): void => {
    if (stopped || waiting.has(key)) return;
    waiting.set(
      key,
      setTimeout(() => void look(key), ms),
    );
  };

  reflector.store.subscribe((change) => {
    if (change.type === 'deleted') {
      reported.delete(change.key);
      return;
    }
    const { object } = change;
    const due = object.metadata.deletionTimestamp !== undefined || acknowledge(object, new Date(), bad) !== undefined;
    if (due) later(change.key, delayMs);
    else reported.delete(change.key);
  });
  reflector.start();

  return {
    get writes() {
      return writes;
    },
    pods: reflector.store,
    synced: () => reflector.synced(),
    stop: async () => {
      stopped = true;
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      await reflector.stop();
    },
  };
}

/** The same report made twice differs in nothing but its time. */
const withoutTimes = (field: string, value: unknown): unknown => (/(At|Time)$/.test(field) ? undefined : value);

/** Only what a status is made from. */
function slim({ metadata, spec, status }: KubeObject): KubeletPod {
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata as KubeletPod['metadata'];
  const { nodeName, containers = [], initContainers = [] } = spec as NonNullable<KubeletPod['spec']>;
  const names = (list: typeof containers) =>
    list.map(({ name, image, restartPolicy }) => ({ name, image, restartPolicy }) as (typeof containers)[number]);
  return {
    metadata: { name, namespace, uid, resourceVersion, deletionTimestamp } as KubeletPod['metadata'],
    spec: { nodeName: nodeName ?? '', containers: names(containers), initContainers: names(initContainers) },
    status: (status ?? {}) as NonNullable<KubeletPod['status']>,
  };
}
