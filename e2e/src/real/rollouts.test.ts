import { describe, expect, jest, test } from '@jest/globals';
import { KRUISE, type Pod, type SidecarSet } from '@sidestep/core';
import type { KubeObject } from '@sidestep/kube';
import { aPod, aSidecarSet } from '@sidestep/testkit';
import { until } from '../platform/service.js';
import { EVENTS, PODS, REVISIONS, SIDECARSETS } from '../world/resources.js';
import { describeOnReal, type RealCluster, refusalOf } from './real-cluster.js';

jest.setTimeout(600_000);

interface Revision extends KubeObject {
  revision: number;
}

const NODE = 'instant-1';
const images = (pod: Pod): string[] => pod.spec.containers.map(({ image }) => image ?? '');
const isDone =
  (pods: number) =>
  ({ status, metadata }: SidecarSet): boolean =>
    status?.observedGeneration === metadata.generation &&
    status?.updatedReadyPods === pods &&
    status?.upgradingPods === 0;
const condition = ({ status }: SidecarSet, type: string) => status?.conditions?.find((one) => one.type === type);

/** A SidecarSet and its ready pods in a namespace of their own; all have its name. */
const given = async (cluster: RealCluster, pods: number, hot: boolean, spec: object = {}): Promise<string> => {
  const name = await cluster.newNamespace();
  const bare = aSidecarSet(name).selecting({ app: name }).withUpdateStrategy({ maxUnavailable: '100%' });
  const set = hot ? bare.withHotSidecar('mesh', 'mesh:1', 'empty:1') : bare.withSidecar('mesh', 'mesh:1');
  await cluster.createSet(set.withSpec(spec as Record<string, unknown>).build());
  for (let index = 0; index < pods; index += 1) {
    const pod = aPod(`web-${index}`).inNamespace(name).labelled({ app: name }).onNode(NODE).build();
    await cluster.createPod(pod, (made) => made.spec.containers.length > 1);
  }
  await cluster.setWhen(name, `${pods} pods of ${name} to be ready`, isDone(pods));
  return name;
};

const eventsAbout = async (cluster: RealCluster, kind: string, name: string, namespace: string) => {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
  const { items } = await cluster.api.list(EVENTS, { namespace, fieldSelector });
  return items.map((event) => event.reason as string);
};

await describeOnReal('a rollout', (cluster) => {
  const revisionsOf = async (set: string): Promise<Revision[]> => {
    const labelSelector = `${KRUISE.revisionSidecarSetName}=${set}`;
    const { items } = await cluster.api.list<Revision>(REVISIONS, { namespace: 'kruise-system', labelSelector });
    return items.sort((a, b) => a.revision - b.revision);
  };

  describe('of a plain sidecar', () => {
    test('changes the image of every pod, and the status counts them', async () => {
      const name = await given(cluster, 3, false);
      const before = await cluster.pod(name, 'web-0');
      await cluster.setImage(name, 'mesh:2');
      const set = await cluster.setWhen(name, 'the rollout to end', isDone(3));
      expect(set.status).toMatchObject({ matchedPods: 3, updatedPods: 3, readyPods: 3, updatedReadyPods: 3 });
      expect(condition(set, 'Progressing')).toMatchObject({ reason: 'RolloutComplete' });
      expect(condition(set, 'Ready')).toMatchObject({ status: 'True', reason: 'AllPodsReady' });
      const after = await cluster.pod(name, 'web-0');
      expect(images(after)).toEqual(['mesh:2', 'app:1']);
      expect(after.metadata.uid).toBe(before.metadata.uid);
      expect(JSON.parse(after.metadata.annotations![KRUISE.hash]!)[name]).toMatchObject({
        hash: set.metadata.annotations![KRUISE.hash],
        controllerRevision: set.status!.latestRevision,
      });
    });

    test('leaves pods alone when more than the image changed, and their condition says so', async () => {
      const name = await given(cluster, 1, false);
      const patch = [{ op: 'add', path: '/spec/containers/0/env', value: [{ name: 'LEVEL', value: 'debug' }] }];
      await cluster.api.patch(SIDECARSETS, { name }, patch, { type: 'json' });
      const written = await until(async () => {
        const { status } = await cluster.pod(name, 'web-0');
        return status?.conditions?.find(
          ({ type, status: holds }) => type === 'SidecarSetUpgradable' && holds === 'False',
        );
      }, 'the condition of the pod');
      expect(written.reason).toBe('UpdateImmutableField');
      expect(images(await cluster.pod(name, 'web-0'))).toEqual(['mesh:1', 'app:1']);
    });

    test('goes on after another writer was faster, and a stale write is refused with 409', async () => {
      const name = await given(cluster, 1, false);
      const stale = await cluster.set(name);
      await cluster.setImage(name, 'mesh:2');
      const refused = await refusalOf(cluster.api.replace(SIDECARSETS, { ...stale, spec: { ...stale.spec } }));
      expect(refused).toMatchObject({ status: 409, message: expect.stringContaining('the object has been modified') });
      await cluster.setWhen(name, 'the rollout to end', isDone(1));
    });
  });

  describe('of a hot sidecar', () => {
    test('starts the new container, empties the old one, and says so in Events', async () => {
      const name = await given(cluster, 2, true);
      expect(images(await cluster.pod(name, 'web-0'))).toEqual(['mesh:1', 'empty:1', 'app:1']);
      await cluster.setImage(name, 'mesh:2');
      await cluster.setWhen(name, 'the rollout to end', isDone(2));
      const pod = await cluster.pod(name, 'web-1');
      expect(images(pod)).toEqual(['empty:1', 'mesh:2', 'app:1']);
      expect(pod.metadata.annotations![KRUISE.workingHotContainer]).toBe('{"mesh":"mesh-2"}');
      await until(async () => {
        const reasons = await eventsAbout(cluster, 'Pod', 'web-1', name);
        return reasons.includes('ResetContainerSucceed') ? reasons : undefined;
      }, 'the Event about the pod');
      const reasons = await until(async () => {
        const found = await eventsAbout(cluster, 'SidecarSet', name, 'default');
        return found.includes('RolloutComplete') ? found : undefined;
      }, 'the Event about the SidecarSet');
      expect(reasons).toContain('RollingOut');
    });

    test('takes the books of managedFields from pods that were only ever updated, and from no pod that was applied', async () => {
      const name = await given(cluster, 2, true);
      const label = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', labels: { tier: 'edge' } } };
      const by = { type: 'apply', fieldManager: 'queue-controller' } as const;
      await cluster.api.patch(PODS, { namespace: name, name: 'web-0' }, label, by);
      expect((await cluster.pod(name, 'web-1')).metadata.managedFields).not.toBeUndefined();
      await cluster.setImage(name, 'mesh:2');
      await cluster.setWhen(name, 'the rollout to end', isDone(2));
      expect((await cluster.pod(name, 'web-0')).metadata.managedFields).toContainEqual(
        expect.objectContaining({ manager: 'queue-controller', operation: 'Apply' }),
      );
      expect((await cluster.pod(name, 'web-1')).metadata.managedFields).toBeUndefined();
    });

    test('shows in kubectl get and kubectl describe', async () => {
      const name = await given(cluster, 1, true);
      await cluster.setImage(name, 'mesh:2');
      await cluster.setWhen(name, 'the rollout to end', isDone(1));
      const { kubectl } = cluster.platform.apiServer;
      const [header, row] = (await kubectl!('get', 'sidecarset', name)).trim().split('\n');
      expect(header).toMatch(/^NAME +MATCHED +UPDATED +READY +AGE *$/);
      expect(row).toMatch(new RegExp(`^${name} +1 +1 +1 +\\d+[smh]`));
      const described = await until(async () => {
        const text = await kubectl!('describe', 'sidecarset', name);
        return text.includes('RolloutComplete  ') ? text : undefined;
      }, 'the Events in kubectl describe');
      expect(described).toMatch(/Events:\n +Type +Reason +Age +From +Message/);
      expect(described).toMatch(/Normal +RollingOut +\S+( \(x\d+ over \S+\))? +sidestep/);
    });

    test('a new image that cannot be pulled leaves the old container at work', async () => {
      const strategy = { maxUnavailable: 1, failurePolicy: { maxFailures: 0, podAction: 'Abort', action: 'Pause' } };
      const name = await given(cluster, 2, true, { updateStrategy: strategy });
      await cluster.setImage(name, 'mesh:bad');
      const set = await cluster.setWhen(
        name,
        'the rollout to stop',
        (one) => condition(one, 'Degraded')?.status === 'True' && one.status?.upgradingPods === 0,
      );
      expect(set.status).toMatchObject({ matchedPods: 2, updatedPods: 0 });
      for (const pod of ['web-0', 'web-1'])
        expect(images(await cluster.pod(name, pod))).toEqual(['mesh:1', 'empty:1', 'app:1']);
    });
  });

  describe('leaves behind', () => {
    test('a ControllerRevision per spec, named and numbered as OpenKruise does, and renumbered on the way back', async () => {
      const name = await given(cluster, 1, false);
      const [first] = await revisionsOf(name);
      await cluster.setImage(name, 'mesh:2');
      await cluster.setWhen(name, 'the rollout to end', isDone(1));
      const [one, two] = await revisionsOf(name);
      expect([one?.revision, two?.revision]).toEqual([1, 2]);
      expect(two!.metadata.name).toMatch(new RegExp(`^${name}-[0-9a-z]+$`));
      expect(two!.metadata.labels).toMatchObject({ [KRUISE.revisionSidecarSetName]: name });
      const { uid } = (await cluster.set(name)).metadata;
      expect(two!.metadata.ownerReferences).toMatchObject([{ kind: 'SidecarSet', name, uid, controller: true }]);
      await cluster.setImage(name, 'mesh:1');
      const set = await cluster.setWhen(name, 'the way back to end', isDone(1));
      expect(set.status!.latestRevision).toBe(first!.metadata.name);
      const numbers = (await revisionsOf(name)).map(({ metadata, revision }) => [metadata.name, revision]);
      expect(numbers).toEqual([
        [two!.metadata.name, 2],
        [first!.metadata.name, 3],
      ]);
    });

    test('no more revisions than the history limit says, and never less than what pods run', async () => {
      const name = await given(cluster, 1, false, { revisionHistoryLimit: 2 });
      for (const version of [2, 3, 4, 5]) {
        await cluster.setImage(name, `mesh:${version}`);
        await cluster.setWhen(name, `mesh:${version} to be rolled out`, isDone(1));
      }
      const numbers = await until(async () => {
        const found = (await revisionsOf(name)).map(({ revision }) => revision);
        return found.length <= 2 ? found : undefined;
      }, 'the old revisions to go');
      expect(numbers).toEqual([4, 5]);
    });

    test('pods as they are when the SidecarSet is deleted', async () => {
      const name = await given(cluster, 1, false);
      const { resourceVersion } = (await cluster.pod(name, 'web-0')).metadata;
      await cluster.api.delete(SIDECARSETS, { name });
      expect(await refusalOf(cluster.set(name))).toMatchObject({ status: 404 });
      const pod = await cluster.pod(name, 'web-0');
      expect(pod.metadata.resourceVersion).toBe(resourceVersion);
      expect(images(pod)).toEqual(['mesh:1', 'app:1']);
      const bare = aPod('late').inNamespace(name).labelled({ app: name }).build();
      await until(async () => {
        const made = (await cluster.api.create(PODS, bare)) as unknown as Pod;
        await cluster.api.delete(PODS, { namespace: name, name: 'late' }, { gracePeriodSeconds: 0 });
        return made.spec.containers.length === 1 || undefined;
      }, 'new pods to be left alone');
    });
  });

  test('nothing of all this was refused for lack of a role', async () => {
    for (const service of ['webhook', 'planner', 'worker-1']) {
      const { readyUrl } = cluster.platform.service(service).spec;
      const metrics = await (await fetch(readyUrl!.replace('/readyz', '/metrics'))).text();
      const calls = metrics.split('\n').filter((line) => line.includes('_kube_call_seconds_count'));
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.filter((line) => /status="40[13]"/.test(line))).toEqual([]);
    }
  });
});
