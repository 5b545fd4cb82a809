import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Pod, SidecarSet } from '@sidestep/core';
import { type KubeApi, KubeError, type KubeObject, type ResourceKind } from '@sidestep/kube';
import {
  ApiServerBinariesMissing,
  ensureApiServerBinaries,
  type InstantKubelet,
  leaveOut,
  removeScratch,
  startInstantKubelet,
} from '@sidestep/testkit';
import { ROOT } from '../journeys/journey.js';
import { Platform } from '../platform/platform.js';
import { until } from '../platform/service.js';
import { PODS, SIDECARSETS } from '../world/resources.js';

/** The same SidecarSets, as a client of the older version sees them. */
export const SIDECARSETS_V1ALPHA1: ResourceKind = { ...SIDECARSETS, version: 'v1alpha1' };
const MINUTES = 60_000;

/** Why no real API server can be started here; undefined when one can. */
export const whyNotReal = (): Promise<string | undefined> =>
  ensureApiServerBinaries({ download: false }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ApiServerBinariesMissing) return error.message;
      throw error;
    },
  );

/** The built apps against kube-apiserver and etcd, and a kubelet that says at once that everything runs. */
export class RealCluster {
  readonly platform = new Platform({
    root: ROOT,
    stateDir: mkdtempSync(path.join(tmpdir(), 'sidestep-real-')),
    workers: 1,
    queue: 'redis',
    needsRedis: true,
    ownRedis: true,
    apiServer: 'real',
  });
  private kubelet: InstantKubelet | undefined;
  private namespaces = 0;

  async start(): Promise<void> {
    await this.platform.start();
    this.kubelet = startInstantKubelet({ api: this.api });
    await this.kubelet.synced();
  }

  async stop(): Promise<void> {
    await this.kubelet?.stop();
    await this.platform.stop();
    await removeScratch(this.platform.options.stateDir);
  }

  get api(): KubeApi {
    return this.platform.api;
  }

  /** A namespace nobody else uses; its name serves as the label of its pods, too. */
  async newNamespace(labels: Record<string, string> = {}): Promise<string> {
    this.namespaces += 1;
    const name = `real-${this.namespaces}`;
    await this.platform.apiServer.createNamespace(name);
    const kind = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
    await this.api.patch(kind, { name }, { metadata: { labels } }, { type: 'merge' });
    return name;
  }

  createSet(set: KubeObject): Promise<KubeObject & SidecarSet> {
    return this.api.create(SIDECARSETS, set as KubeObject & SidecarSet);
  }

  /**
   * The pod as the webhook made it. Tries again while the webhook has not heard of the SidecarSets yet, which takes it a moment
   * after they were created.
   */
  async createPod(pod: KubeObject, isInjected: (pod: Pod) => boolean = () => true): Promise<KubeObject & Pod> {
    return until(async () => {
      const made = (await this.api.create(PODS, pod)) as KubeObject & Pod;
      if (isInjected(made)) return made;
      const ref = { namespace: made.metadata.namespace!, name: made.metadata.name! };
      await this.api.delete(PODS, ref, { gracePeriodSeconds: 0 });
      await until(
        () =>
          this.api.get(PODS, ref).then(
            () => undefined,
            () => true as const,
          ),
        `pod ${ref.name} to go`,
      );
      return undefined;
    }, `pod ${pod.metadata.name} to be injected`);
  }

  set(name: string): Promise<KubeObject & SidecarSet> {
    return this.api.get(SIDECARSETS, { name });
  }

  pod(namespace: string, name: string): Promise<KubeObject & Pod> {
    return this.api.get(PODS, { namespace, name });
  }

  /** The SidecarSet once its status says so. */
  async setWhen(name: string, what: string, holds: (set: SidecarSet) => boolean): Promise<SidecarSet> {
    let last: SidecarSet | undefined;
    const look = async (): Promise<SidecarSet | undefined> => {
      last = await this.set(name);
      return holds(last) ? last : undefined;
    };
    return until(look, what).catch((error: Error) => {
      throw new Error(`${error.message}; the status is ${JSON.stringify(last?.status)}`);
    });
  }

  async setImage(name: string, image: string): Promise<void> {
    const patch = [{ op: 'replace', path: '/spec/containers/0/image', value: image }];
    await this.api.patch(SIDECARSETS, { name }, patch, { type: 'json' });
  }
}

/** What the API server said when it refused. Throws when it did not. */
export const refusalOf = async (call: Promise<unknown>): Promise<{ status: number; message: string }> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof KubeError) return { status: error.status, message: error.message };
    throw error;
  }
  throw new Error('the API server did not refuse it');
};

/** A suite on a real API server; where there is none, the one test that says how to get it. */
export const describeOnReal = async (what: string, tests: (cluster: RealCluster) => void): Promise<void> => {
  const missing = await whyNotReal();
  if (missing !== undefined) {
    leaveOut(`${what}, on a real API server`, missing);
    test('what is missing is named, with the way to get it', () => expect(missing).toContain('npm test -- --all'));
    return;
  }
  describe(`${what}, on a real API server`, () => {
    const cluster = new RealCluster();
    beforeAll(() => cluster.start(), 10 * MINUTES);
    afterAll(() => cluster.stop(), 5 * MINUTES);
    tests(cluster);
  });
};
