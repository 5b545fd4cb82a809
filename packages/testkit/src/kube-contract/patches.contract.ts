import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, refusal, type Subject } from './subject.js';

export const patchContract = (subject: Subject): void => {
  const seed = async (
    data: Record<string, string>,
  ): Promise<{ namespace: string; name: string; object: KubeObject }> => {
    const namespace = await subject.newNamespace();
    const object = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'c', data));
    return { namespace, name: 'c', object };
  };

  describe('patches', () => {
    test('a JSON patch guarded by the version it was made for applies, and a version later does not', async () => {
      const { object, ...ref } = await seed({ a: '1' });
      const patch = (value: string): object[] => [
        { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
        { op: 'replace', path: '/data/a', value },
      ];
      const patched = await subject.api.patch<KubeObject>(CONFIG_MAPS, ref, patch('2'), { type: 'json' });
      expect(patched.data).toEqual({ a: '2' });
      const refused = await refusal(subject.api.patch(CONFIG_MAPS, ref, patch('3'), { type: 'json' }));
      expect(refused).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(refused.message).toContain('the server rejected our request due to an error in our request');
      expect((await subject.api.get<KubeObject>(CONFIG_MAPS, ref)).data).toEqual({ a: '2' });
    });

    test('a JSON patch that writes the version it was made for meets a conflict when it is late', async () => {
      const { object, ...ref } = await seed({ a: '1' });
      await subject.api.patch(CONFIG_MAPS, ref, { data: { a: '2' } }, { type: 'merge' });
      const late = [
        { op: 'replace', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
        { op: 'add', path: '/data/b', value: '3' },
      ];
      expect(await refusal(subject.api.patch(CONFIG_MAPS, ref, late, { type: 'json' }))).toMatchObject({
        status: 409,
        reason: 'Conflict',
      });
    });

    test('a JSON patch on a path that is not there is refused as a whole', async () => {
      const { object: _object, ...ref } = await seed({ a: '1' });
      const patch = [
        { op: 'replace', path: '/data/a', value: '2' },
        { op: 'remove', path: '/data/ghost' },
      ];
      expect(await refusal(subject.api.patch(CONFIG_MAPS, ref, patch, { type: 'json' }))).toMatchObject({
        status: 422,
      });
      expect((await subject.api.get<KubeObject>(CONFIG_MAPS, ref)).data).toEqual({ a: '1' });
    });

    test('JSON patch pointers escape slashes and tildes', async () => {
      const { object: _object, ...ref } = await seed({});
      const patch = [{ op: 'add', path: '/metadata/annotations', value: { 'kruise.io/x': 'a' } }];
      await subject.api.patch(CONFIG_MAPS, ref, patch, { type: 'json' });
      const next = [{ op: 'replace', path: '/metadata/annotations/kruise.io~1x', value: 'b' }];
      const patched = await subject.api.patch(CONFIG_MAPS, ref, next, { type: 'json' });
      expect(patched.metadata.annotations).toEqual({ 'kruise.io/x': 'b' });
    });

    test('a merge patch sets, keeps and removes, and respects a version in it', async () => {
      const { object, ...ref } = await seed({ a: '1', b: '2' });
      const patched = await subject.api.patch<KubeObject>(
        CONFIG_MAPS,
        ref,
        { data: { a: null, c: '3' } },
        { type: 'merge' },
      );
      expect(patched.data).toEqual({ b: '2', c: '3' });
      const late = { metadata: { resourceVersion: object.metadata.resourceVersion }, data: { d: '4' } };
      expect(await refusal(subject.api.patch(CONFIG_MAPS, ref, late, { type: 'merge' }))).toMatchObject({
        status: 409,
        reason: 'Conflict',
      });
    });

    test('an apply creates, owns what it said, and takes back what it no longer says', async () => {
      const namespace = await subject.newNamespace();
      const ref = { namespace, name: 'applied' };
      const apply = (data: Record<string, string>): Promise<KubeObject> =>
        subject.api.patch(CONFIG_MAPS, ref, configMap(namespace, 'applied', data), {
          type: 'apply',
          fieldManager: 'sidestep',
          force: true,
        });
      expect((await apply({ a: '1', b: '2' })).data).toEqual({ a: '1', b: '2' });
      await subject.api.patch(
        CONFIG_MAPS,
        ref,
        { data: { foreign: 'x' } },
        { type: 'merge', fieldManager: 'somebody' },
      );
      expect((await apply({ a: '3' })).data).toEqual({ a: '3', foreign: 'x' });
    });

    test('one empty entry takes the books of managedFields away, and further writes do not begin them anew', async () => {
      const { object: _object, ...ref } = await seed({ a: '1' });
      const release = [{ op: 'add', path: '/metadata/managedFields', value: [{}] }];
      const released = await subject.api.patch(CONFIG_MAPS, ref, release, { type: 'json' });
      expect(released.metadata.managedFields ?? []).toEqual([]);
      const next = [{ op: 'replace', path: '/data/a', value: '2' }];
      const patched = await subject.api.patch<KubeObject>(CONFIG_MAPS, ref, next, { type: 'json' });
      expect(patched.data).toEqual({ a: '2' });
      expect(patched.metadata.managedFields ?? []).toEqual([]);
    });

    test('a write is answered with the metadata alone where nobody reads the rest', async () => {
      const namespace = await subject.newNamespace();
      const [ref, answer] = [{ namespace, name: 'terse' }, 'metadata' as const];
      const made: KubeObject = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'terse', { a: '1' }), {
        answer,
      });
      const again: KubeObject = await subject.api.replace(
        CONFIG_MAPS,
        { ...configMap(namespace, 'terse', { a: '2' }), metadata: { ...made.metadata, annotations: { kept: 'yes' } } },
        { answer },
      );
      const patch = { metadata: { annotations: { more: 'yes' } }, data: { b: '3' } };
      const last: KubeObject = await subject.api.patch(CONFIG_MAPS, ref, patch, { type: 'merge', answer });
      const stored = await subject.api.get<KubeObject>(CONFIG_MAPS, ref);
      expect(stored.data).toEqual({ a: '2', b: '3' });
      for (const object of [made, again, last]) {
        expect(object).toEqual({
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: expect.objectContaining({ name: 'terse', uid: stored.metadata.uid }),
        });
      }
      expect(last.metadata).toEqual(stored.metadata);
      expect(last.metadata.annotations).toEqual({ kept: 'yes', more: 'yes' });
    });

    test('patching what is not there is 404', async () => {
      const namespace = await subject.newNamespace();
      const ref = { namespace, name: 'ghost' };
      expect(await refusal(subject.api.patch(CONFIG_MAPS, ref, { data: {} }, { type: 'merge' }))).toMatchObject({
        status: 404,
      });
    });

    test('two writers without a version both get through', async () => {
      const { object: _object, ...ref } = await seed({});
      const write = (key: string): Promise<unknown> =>
        subject.api.patch(CONFIG_MAPS, ref, { data: { [key]: 'x' } }, { type: 'merge' });
      await Promise.all(['a', 'b', 'c', 'd'].map(write));
      expect((await subject.api.get<KubeObject>(CONFIG_MAPS, ref)).data).toEqual({ a: 'x', b: 'x', c: 'x', d: 'x' });
    });
  });
};
