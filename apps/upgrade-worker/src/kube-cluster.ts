import type { ClusterPort, CreateResult, Freshness, PodRef, PodWriteResult, WriteResult } from '@sidestep/controller';
import {
  type ControllerRevision,
  type FullPod,
  type JsonPatch,
  KRUISE,
  type Pod,
  type SidecarSet,
  type SidecarSetStatus,
  strategicPatchOf,
} from '@sidestep/core';
import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  isRefusal,
  isTooLate,
  type KubeApi,
  type KubeObject,
  LEASE,
  type LeaseSpec,
} from '@sidestep/kube';
import { CONTROLLER_REVISION, POD, SIDECARSET } from './kinds.js';

const FROM_MEMORY = { resourceVersion: '0' };
/** Of writes by the thousand: no look for misspelt fields, and only as much of the answer as is read. */
const CHEAP = { fieldValidation: 'Ignore', answer: 'metadata' } as const;

/** The controller's view of the cluster over a `KubeApi`; one call of the port is one call to the API server. */
export class KubeCluster implements ClusterPort {
  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly leaseName: string,
  ) {}

  readPod(ref: PodRef, freshness: Freshness): Promise<FullPod | undefined> {
    return orUndefined(this.api.get<KubeObject & FullPod>(POD, ref, freshness === 'recent' ? FROM_MEMORY : {}));
  }

  patchPod(pod: FullPod, patch: JsonPatch, sendBy?: Date): Promise<PodWriteResult> {
    const { namespace = '', name = '' } = pod.metadata;
    const options = { type: 'strategic', ...CHEAP, ...(sendBy ? { sendBy } : {}) } as const;
    const body = strategicPatchOf(pod, patch);
    return orRefused(
      written(this.api.patch<KubeObject & Pick<FullPod, 'metadata'>>(POD, { namespace, name }, body, options)),
    );
  }

  patchPodStatus(ref: PodRef, uid: string, patch: object): Promise<WriteResult<unknown>> {
    const guarded = { ...patch, metadata: { uid } };
    return written(this.api.patch(POD, ref, guarded, { type: 'strategic', subresource: 'status', ...CHEAP }));
  }

  async createPod(pod: Pod): Promise<CreateResult> {
    try {
      await this.api.create(POD, pod as KubeObject & Pod);
    } catch (error) {
      if (isRefusal(error)) return { kind: 'refused', message: error.message };
      if (!isAlreadyExists(error)) throw error;
    }
    return { kind: 'created' };
  }

  async deletePod(ref: PodRef, uid: string): Promise<void> {
    await written(this.api.delete(POD, ref, { preconditions: { uid } }));
  }

  readSidecarSet(name: string): Promise<SidecarSet | undefined> {
    return orUndefined(this.api.get<KubeObject & SidecarSet>(SIDECARSET, { name }));
  }

  writeSidecarSetStatus(sidecarSet: SidecarSet, status: SidecarSetStatus): Promise<WriteResult<SidecarSet>> {
    const object = { ...sidecarSet, status } as KubeObject & SidecarSet;
    return written(this.api.replace(SIDECARSET, object, { subresource: 'status' }));
  }

  async readEpoch(): Promise<number | undefined> {
    const ref = { namespace: this.namespace, name: this.leaseName };
    const lease = await orUndefined(this.api.get<KubeObject & { spec?: LeaseSpec }>(LEASE, ref));
    return lease?.spec?.leaseTransitions;
  }

  async listRevisions(sidecarSet: string): Promise<ControllerRevision[]> {
    const { items } = await this.api.list<KubeObject & ControllerRevision>(CONTROLLER_REVISION, {
      namespace: this.namespace,
      labelSelector: `${KRUISE.revisionSidecarSetName}=${sidecarSet}`,
    });
    return items;
  }

  async createRevision(revision: ControllerRevision): Promise<ControllerRevision | undefined> {
    try {
      return await this.api.create(CONTROLLER_REVISION, revision as KubeObject & ControllerRevision);
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    }
  }

  updateRevision(revision: ControllerRevision): Promise<WriteResult<ControllerRevision>> {
    return written(this.api.replace(CONTROLLER_REVISION, revision as KubeObject & ControllerRevision));
  }

  async deleteRevision(name: string): Promise<void> {
    await orUndefined(this.api.delete(CONTROLLER_REVISION, { namespace: this.namespace, name }));
  }
}

const orUndefined = async <T>(call: Promise<T>): Promise<T | undefined> => {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const written = async <T>(call: Promise<T>): Promise<WriteResult<T>> => {
  try {
    return { kind: 'written', object: await call };
  } catch (error) {
    if (isNotFound(error)) return { kind: 'gone' };
    if (isConflict(error) || isTooLate(error)) return { kind: 'conflict' };
    throw error;
  }
};

const orRefused = async <T>(call: Promise<T>): Promise<T | { kind: 'refused'; message: string }> => {
  try {
    return await call;
  } catch (error) {
    if (isRefusal(error)) return { kind: 'refused', message: error.message };
    throw error;
  }
};
