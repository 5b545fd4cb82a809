import { describe, expect, test } from '@jest/globals';
import type { KubeObject, ObjectRef } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, eventually, PODS, refusal, type Subject, Watching } from './subject.js';

export const deleteContract = (subject: Subject): void => {
  const gone = (kind: typeof PODS, ref: ObjectRef): Promise<true> =>
    eventually(`${ref.name} to be gone`, () =>
      subject.api.get(kind, ref).then(
        () => undefined,
        () => true as const,
      ),
    );

  const boundPod = async (): Promise<{ namespace: string; name: string }> => {
    const namespace = await subject.newNamespace();
    const spec = {
      nodeName: `node-${namespace}`,
      terminationGracePeriodSeconds: 9,
      containers: [{ name: 'a', image: 'a:1' }],
    };
    await subject.api.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace }, spec });
    return { namespace, name: 'p' };
  };

  describe('deletes', () => {
    test('a precondition on uid or version that does not hold keeps the object', async () => {
      const namespace = await subject.newNamespace();
      const ref = { namespace, name: 'c' };
      const { metadata } = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'c'));
      const wrongUid = { uid: '00000000-0000-0000-0000-000000000000' };
      expect(await refusal(subject.api.delete(CONFIG_MAPS, ref, { preconditions: wrongUid }))).toMatchObject({
        status: 409,
      });
      expect(
        await refusal(subject.api.delete(CONFIG_MAPS, ref, { preconditions: { resourceVersion: '1' } })),
      ).toMatchObject({ status: 409 });
      const right = { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
      await subject.api.delete(CONFIG_MAPS, ref, { preconditions: right });
      expect(await refusal(subject.api.get(CONFIG_MAPS, ref))).toMatchObject({ status: 404 });
      expect(await refusal(subject.api.delete(CONFIG_MAPS, ref))).toMatchObject({ status: 404 });
    });

    test('a dry run keeps the object, whatever would become of it', async () => {
      const namespace = await subject.newNamespace();
      const plain = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'plain'));
      const metadata = { name: 'held', namespace, finalizers: ['sidestep.dev/hold'] };
      const held = await subject.api.create(CONFIG_MAPS, { ...configMap(namespace, 'held'), metadata });
      const ref = await boundPod();
      const pod = await subject.api.get(PODS, ref);
      for (const { metadata: kept } of [plain, held])
        await subject.api.delete(CONFIG_MAPS, { namespace, name: kept.name ?? '' }, { dryRun: true });
      await subject.api.delete(PODS, ref, { dryRun: true });
      await subject.api.delete(PODS, ref, { dryRun: true, gracePeriodSeconds: 0 });
      for (const kept of [plain, held])
        expect(await subject.api.get(CONFIG_MAPS, { namespace, name: kept.metadata.name ?? '' })).toEqual(kept);
      expect(await subject.api.get(PODS, ref)).toEqual(pod);
      expect(
        await refusal(subject.api.delete(CONFIG_MAPS, { namespace, name: 'none' }, { dryRun: true })),
      ).toMatchObject({ status: 404 });
      await subject.api.patch(
        CONFIG_MAPS,
        { namespace, name: 'held' },
        { metadata: { finalizers: null } },
        { type: 'merge' },
      );
      await subject.api.delete(PODS, ref, { gracePeriodSeconds: 0 });
    });

    test('a pod on a node stays until its node says it is over', async () => {
      const ref = await boundPod();
      const { metadata } = await subject.api.list(PODS, { namespace: ref.namespace });
      const watching = new Watching(subject.api, PODS, {
        namespace: ref.namespace,
        resourceVersion: metadata.resourceVersion ?? '',
      });
      await subject.api.delete(PODS, ref);
      const ending = await subject.api.get(PODS, ref);
      expect(ending.metadata.deletionTimestamp).toBeDefined();
      expect(ending.metadata.deletionGracePeriodSeconds).toBe(9);
      await subject.api.delete(PODS, ref, { gracePeriodSeconds: 0 });
      await watching.saw('MODIFIED p', 'DELETED p');
      expect(await refusal(subject.api.get(PODS, ref))).toMatchObject({ status: 404 });
      await watching.stop();
    });

    test('a second delete does not lengthen the grace of the first', async () => {
      const ref = await boundPod();
      await subject.api.delete(PODS, ref, { gracePeriodSeconds: 3 });
      const first = await subject.api.get(PODS, ref);
      await subject.api.delete(PODS, ref, { gracePeriodSeconds: 8 });
      const second = await subject.api.get(PODS, ref);
      expect(second.metadata.deletionTimestamp).toBe(first.metadata.deletionTimestamp);
      await subject.api.delete(PODS, ref, { gracePeriodSeconds: 0 });
    });

    test('a pod that no node has goes at once', async () => {
      const namespace = await subject.newNamespace();
      const spec = { containers: [{ name: 'a', image: 'a:1' }] };
      await subject.api.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace }, spec });
      await subject.api.delete(PODS, { namespace, name: 'p' });
      await gone(PODS, { namespace, name: 'p' });
    });

    test('a finalizer holds an object until it is taken off', async () => {
      const namespace = await subject.newNamespace();
      const ref = { namespace, name: 'held' };
      const metadata = { name: 'held', namespace, finalizers: ['sidestep.dev/hold'] };
      await subject.api.create(CONFIG_MAPS, { ...configMap(namespace, 'held'), metadata });
      await subject.api.delete(CONFIG_MAPS, ref);
      expect((await subject.api.get<KubeObject>(CONFIG_MAPS, ref)).metadata.deletionTimestamp).toBeDefined();
      await subject.api.patch(CONFIG_MAPS, ref, { metadata: { finalizers: null } }, { type: 'merge' });
      await gone(CONFIG_MAPS, ref);
    });

    test('a new object of the same name has another uid', async () => {
      const namespace = await subject.newNamespace();
      const first = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'again'));
      await subject.api.delete(CONFIG_MAPS, { namespace, name: 'again' });
      const second = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'again'));
      expect(second.metadata.uid).not.toBe(first.metadata.uid);
    });
  });
};
