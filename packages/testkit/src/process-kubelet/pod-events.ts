import { createHash } from 'node:crypto';
import { type KubeApi, KubeError, type KubeObject, type ResourceKind } from '@sidestep/kube';
import { type PodObject, wholeSeconds } from './pod-spec.js';

const EVENTS: ResourceKind = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

interface Written {
  name: string;
  count: number;
  done: Promise<void>;
}

/** Writes a kubelet's Events about pods; the same event again raises the count of the first. A failed write is dropped. */
export class PodEvents {
  readonly #api: KubeApi | undefined;
  readonly #node: string;
  readonly #written = new Map<string, Written>();

  /** Without an API nothing is written. */
  constructor(api: KubeApi | undefined, node: string) {
    this.#api = api;
    this.#node = node;
  }

  record(pod: PodObject, type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void {
    if (!this.#api) return;
    const { uid = '', name = '', namespace = 'default' } = pod.metadata;
    const fieldPath = container === undefined ? undefined : `spec.containers{${container}}`;
    const key = createHash('sha256')
      .update(JSON.stringify([uid, reason, message, fieldPath]))
      .digest('hex');
    const before = this.#written.get(key);
    const now = wholeSeconds(Date.now());
    if (before) {
      before.count += 1;
      const { count } = before;
      before.done = before.done.then(() => this.#raise(namespace, before.name, count, now));
      return;
    }
    const event: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${key.slice(0, 16)}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid, ...(fieldPath ? { fieldPath } : {}) },
      type,
      reason,
      message,
      source: { component: 'kubelet', host: this.#node },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    this.#written.set(key, { name: event.metadata.name!, count: 1, done: this.#create(event) });
  }

  /** Forgets what was counted for a pod that is gone, and all of it when there is too much. */
  trim(limit = 5_000): void {
    if (this.#written.size > limit) this.#written.clear();
  }

  async #create(event: KubeObject): Promise<void> {
    try {
      await this.#api?.create(EVENTS, event);
    } catch (error) {
      // A kubelet's events are best effort; the pod or its namespace may be gone.
      if (!(error instanceof KubeError)) throw error;
    }
  }

  async #raise(namespace: string, name: string, count: number, lastTimestamp: string): Promise<void> {
    try {
      await this.#api?.patch(EVENTS, { namespace, name }, { count, lastTimestamp }, { type: 'merge' });
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
    }
  }
}
