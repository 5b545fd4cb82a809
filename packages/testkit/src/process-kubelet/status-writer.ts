import { isDeepStrictEqual } from 'node:util';
import { type KubeApi, KubeError, type ResourceKind } from '@sidestep/kube';
import type { NodeContext } from './node-context.js';
import type { PodCondition, PodObject, PodStatus } from './pod-spec.js';

export const PODS: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

const RETRY_MS = 200;

/**
 * Brings one pod's status to the API server: the newest one only, one write at a time, again until it is taken or the pod is gone.
 * Writing never holds up the pod.
 */
export class StatusWriter {
  readonly #context: Pick<NodeContext, 'api' | 'log'>;
  readonly #pod: PodObject;
  #wanted: PodStatus | undefined;
  #written: PodStatus | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(context: Pick<NodeContext, 'api' | 'log'>, pod: PodObject) {
    this.#context = context;
    this.#pod = pod;
  }

  set(status: PodStatus): void {
    if (this.#stopped || isDeepStrictEqual(status, this.#wanted)) return;
    this.#wanted = status;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when the last status set was written or given up. */
  async flushed(): Promise<void> {
    await this.#running;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopped && this.#wanted !== this.#written) {
      const status = this.#wanted!;
      try {
        await writeStatus(this.#context.api, this.#pod, status);
        this.#written = status;
      } catch (error) {
        if (isGone(error)) return;
        const { namespace, name } = this.#pod.metadata;
        this.#context.log({ event: 'status-failed', pod: `${namespace}/${name}`, error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** The pod is not there any more, or another one has its name. */
export const isGone = (error: unknown): boolean =>
  error instanceof KubeError && (error.status === 404 || error.status === 409);

async function writeStatus(api: KubeApi, pod: PodObject, status: PodStatus): Promise<void> {
  const { namespace = 'default', name = '', uid } = pod.metadata;
  const conditions = status.conditions?.map(withExplicitAbsence);
  const patch = { metadata: { uid }, status: { ...status, ...(conditions ? { conditions } : {}) } };
  await api.patch(PODS, { namespace, name }, patch, { type: 'strategic', subresource: 'status' });
}

/** Conditions are merged by type: a reason that is gone must be said to be gone. */
const withExplicitAbsence = (condition: PodCondition) => ({
  ...condition,
  reason: condition.reason ?? null,
  message: condition.message ?? null,
});
