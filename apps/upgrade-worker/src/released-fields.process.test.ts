import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { PhaseRunner, TargetSource } from '@sidestep/controller';
import {
  decidePodUpgrade,
  defaultSidecarSet,
  type FullPod,
  injectPod,
  type Pod,
  type PodStrategicPatch,
  type SidecarSet,
  SidecarSetIndex,
  upgradeTarget,
  withHashes,
} from '@sidestep/core';
import { HttpKubeApi, isNotFound, KubeError, type KubeObject, loadKubeConfig, systemClock } from '@sidestep/kube';
import {
  ApiServerBinariesMissing,
  acknowledge,
  aPod,
  aSidecarSet,
  ensureApiServerBinaries,
  type KubeletPod,
  leaveOut,
  type RealApiServer,
  startRealApiServer,
} from '@sidestep/testkit';
import { POD, SIDECARSET } from './kinds.js';
import { KubeCluster } from './kube-cluster.js';

/** Against a wait without end, not a slow machine. */
jest.setTimeout(300_000);

const CRDS = fileURLToPath(new URL('../../../deploy/crds', import.meta.url));
const NAMESPACE = 'shop';

const missing = await ensureApiServerBinaries({ download: false }).then(
  () => undefined,
  (error: unknown) => {
    if (error instanceof ApiServerBinariesMissing) return error.message;
    throw error;
  },
);

const meshSet = (image: string): SidecarSet =>
  withHashes(defaultSidecarSet(aSidecarSet().withHotSidecar('mesh', image).build() as unknown as SidecarSet));

const injected = (name: string, set: SidecarSet): KubeObject => {
  const bare = aPod(name).inNamespace(NAMESPACE).labelled({ app: 'shop' }).onNode('instant-1').build();
  const revisions = { byName: () => undefined, byCustomVersion: () => undefined };
  const around = { namespace: NAMESPACE, namespaceLabels: {}, revisions, now: new Date() };
  const sidecarSets = new SidecarSetIndex([set]);
  return injectPod({ ...around, pod: bare as unknown as Pod, sidecarSets }).pod as KubeObject;
};

/** Looks until there is something; the deadline of the test ends a look in vain. */
const found = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const seen = await look().catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A worker's way to the API server, on which something may happen right after the next read of a pod. */
class Meddled extends HttpKubeApi {
  afterRead: (() => Promise<unknown>) | undefined;
  /** What was sent for pods: whether it takes the books away, and the status of the answer. */
  readonly sent: { releases: boolean; status: number }[] = [];

  override async get<T extends KubeObject>(...[kind, ref, options]: Parameters<HttpKubeApi['get']>): Promise<T> {
    const read = await super.get<T>(kind, ref, options);
    const meddle = kind === POD ? this.afterRead : undefined;
    if (meddle !== undefined) this.afterRead = undefined;
    await meddle?.();
    return read;
  }

  override async patch<T extends KubeObject>(
    ...[kind, ref, patch, options]: Parameters<HttpKubeApi['patch']>
  ): Promise<T> {
    const answer = super.patch<T>(kind, ref, patch, options);
    if (kind !== POD || options.subresource !== undefined) return answer;
    const releases = 'managedFields' in (patch as PodStrategicPatch).metadata;
    const status = await answer.then(
      () => 200,
      (error: unknown) => (error instanceof KubeError ? error.status : 0),
    );
    this.sent.push({ releases, status });
    return answer;
  }
}

if (missing !== undefined) {
  leaveOut('the release of managedFields on a real API server', missing);
  test('what is missing is named, with the way to get it', () => expect(missing).toContain('npm test -- --all'));
} else {
  describe('the first write of an upgrade, on a real API server', () => {
    let server: RealApiServer;
    let admin: HttpKubeApi;
    let worker: Meddled;

    beforeAll(async () => {
      server = await startRealApiServer();
      const connection = loadKubeConfig({ kubeconfig: server.kubeconfig });
      admin = new HttpKubeApi({ connection });
      worker = new Meddled({ connection });
      await server.kubectl('apply', '--server-side', '-k', CRDS);
      await server.createNamespace(NAMESPACE);
      // A moment passes before a kind that was just applied is served.
      await found(() => admin.create(SIDECARSET, meshSet('mesh:2') as KubeObject));
    });

    afterAll(async () => {
      worker?.close();
      admin?.close();
      await server?.stop();
    });

    const stored = (name: string): Promise<KubeObject & FullPod> => admin.get(POD, { namespace: NAMESPACE, name });

    /** One that runs the version before, also for who asks the API server's memory, as a worker does first. */
    const ready = async (name: string): Promise<FullPod> => {
      const pod = await admin.create(POD, injected(name, meshSet('mesh:1')));
      const status = acknowledge(pod as unknown as KubeletPod, new Date(), () => false);
      const running = await admin.replace(POD, { ...pod, status }, { subresource: 'status' });
      const { resourceVersion } = running.metadata;
      await found(async () => {
        const { metadata } = await admin.get(POD, { namespace: NAMESPACE, name }, { resourceVersion: '0' });
        return metadata.resourceVersion === resourceVersion ? true : undefined;
      });
      return running as KubeObject & FullPod;
    };

    /** As a worker that was told to begin the pod. */
    const upgrade = async (pod: FullPod): Promise<string> => {
      const cluster = new KubeCluster(worker, 'kruise-system', 'sidestep-planner');
      const targets = new TargetSource(() => cluster, systemClock);
      const events = { onPod: () => undefined, onSidecarSet: () => undefined };
      const runner = new PhaseRunner({ cluster, targets, events, clock: systemClock, managedFields: 'release' });
      const set = await admin.get<KubeObject & SidecarSet>(SIDECARSET, { name: 'mesh-set' });
      const { attempt, revision } = decidePodUpgrade({ target: upgradeTarget(set), pod, now: new Date() });
      const { name = '', uid = '' } = pod.metadata;
      const keys = { namespace: NAMESPACE, pod: name, uid, sidecarSet: 'mesh-set', phase: 'upgrade' } as const;
      worker.sent.length = 0;
      return (await runner.run({ ...keys, revision, attempt }, AbortSignal.timeout(120_000))).result;
    };

    test('takes the books of a pod that nobody has applied', async () => {
      const pod = await ready('updated');
      expect(pod.metadata.managedFields).not.toBeUndefined();
      expect(await upgrade(pod)).toBe('wrote');
      expect(worker.sent).toEqual([{ releases: true, status: 200 }]);
      expect((await stored('updated')).metadata.managedFields).toBeUndefined();
    });

    test('is refused with 409 when somebody applies the pod right after it was read, and then leaves the books alone', async () => {
      const pod = await ready('applied');
      const label = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'applied', labels: { tier: 'edge' } } };
      const apply = { type: 'apply', fieldManager: 'queue-controller' } as const;
      worker.afterRead = () => admin.patch(POD, { namespace: NAMESPACE, name: 'applied' }, label, apply);
      expect(await upgrade(pod)).toBe('wrote');
      expect(worker.sent).toEqual([
        { releases: true, status: 409 },
        { releases: false, status: 200 },
      ]);
      const after = await stored('applied');
      expect(after.metadata.managedFields).toContainEqual(
        expect.objectContaining({ manager: 'queue-controller', operation: 'Apply' }),
      );
      expect(after.metadata.labels).toMatchObject({ tier: 'edge' });
      expect(after.spec.containers.map(({ image }) => image)).toContain('mesh:2');
    });
  });
}
