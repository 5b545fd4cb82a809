import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, EVENTS, LEASES, NODES, REVISIONS, refusal, SECRETS, type Subject } from './subject.js';

export const objectContract = (subject: Subject): void => {
  describe('objects', () => {
    test('a created object has a uid, a resourceVersion and a creation time, and reads back as it was answered', async () => {
      const namespace = await subject.newNamespace();
      const created = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'one', { a: '1' }));
      expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(Number(created.metadata.resourceVersion)).toBeGreaterThan(0);
      expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await subject.api.get(CONFIG_MAPS, { namespace, name: 'one' })).toEqual(created);
    });

    test('a name is taken once', async () => {
      const namespace = await subject.newNamespace();
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'twice'));
      const refused = await refusal(subject.api.create(CONFIG_MAPS, configMap(namespace, 'twice')));
      expect(refused).toMatchObject({
        status: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "twice" already exists',
      });
    });

    test('what does not exist is 404 with its name, also in a namespace that does not exist', async () => {
      const namespace = await subject.newNamespace();
      expect(await refusal(subject.api.get(CONFIG_MAPS, { namespace, name: 'ghost' }))).toMatchObject({
        status: 404,
        reason: 'NotFound',
        message: 'configmaps "ghost" not found',
      });
      const elsewhere = await refusal(subject.api.create(CONFIG_MAPS, configMap('no-such-namespace', 'x')));
      expect(elsewhere).toMatchObject({
        status: 404,
        reason: 'NotFound',
        message: 'namespaces "no-such-namespace" not found',
      });
    });

    test('a generated name starts with what was asked and differs every time', async () => {
      const namespace = await subject.newNamespace();
      const make = (): Promise<KubeObject> =>
        subject.api.create<KubeObject>(CONFIG_MAPS, {
          ...configMap(namespace, ''),
          metadata: { generateName: 'gen-', namespace },
        });
      const [first, second] = [await make(), await make()];
      expect(first.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/);
      expect(second.metadata.name).not.toBe(first.metadata.name);
    });

    test('an object without a name, and one with a bad label, are refused with the field named', async () => {
      const namespace = await subject.newNamespace();
      const nameless = await refusal(
        subject.api.create(CONFIG_MAPS, { ...configMap(namespace, ''), metadata: { namespace } }),
      );
      expect(nameless).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(nameless.message).toContain('metadata.name: Required value: name or generateName is required');
      const labelled = {
        ...configMap(namespace, 'bad'),
        metadata: { name: 'bad', namespace, labels: { a: 'no spaces' } },
      };
      expect(await refusal(subject.api.create(CONFIG_MAPS, labelled))).toMatchObject({
        status: 422,
        reason: 'Invalid',
      });
    });

    test('a dry run answers the object but keeps nothing', async () => {
      const namespace = await subject.newNamespace();
      const tried = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'tried'), { dryRun: true });
      expect(tried.metadata.name).toBe('tried');
      expect(await refusal(subject.api.get(CONFIG_MAPS, { namespace, name: 'tried' }))).toMatchObject({ status: 404 });
    });

    test('replacing an old version is a conflict and changes nothing', async () => {
      const namespace = await subject.newNamespace();
      const first = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'c', { a: '1' }));
      const second = await subject.api.replace(CONFIG_MAPS, { ...first, data: { a: '2' } });
      expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
      const refused = await refusal(subject.api.replace(CONFIG_MAPS, { ...first, data: { a: '3' } }));
      expect(refused).toMatchObject({ status: 409, reason: 'Conflict' });
      expect(refused.message).toContain('the object has been modified');
      expect(await subject.api.get(CONFIG_MAPS, { namespace, name: 'c' })).toEqual(second);
    });

    test('a write that changes nothing keeps the resourceVersion', async () => {
      const namespace = await subject.newNamespace();
      const first = await subject.api.create(CONFIG_MAPS, configMap(namespace, 'same', { a: '1' }));
      const again = await subject.api.replace(CONFIG_MAPS, first);
      expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    });

    test('a lease is taken by whoever names the version he saw, and by no other', async () => {
      const namespace = await subject.newNamespace();
      const spec = { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-11-22T10:00:00.123456Z' };
      const lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'leader', namespace },
        spec,
      };
      const held = await subject.api.create<KubeObject>(LEASES, lease);
      expect(held.spec).toEqual(spec);
      const taken = await subject.api.replace<KubeObject>(LEASES, { ...held, spec: { ...spec, holderIdentity: 'b' } });
      expect(taken.spec).toMatchObject({ holderIdentity: 'b' });
      expect(await refusal(subject.api.replace(LEASES, { ...held, spec }))).toMatchObject({
        status: 409,
        reason: 'Conflict',
      });
      const blind = await refusal(subject.api.replace<KubeObject>(LEASES, lease));
      expect(blind).toMatchObject({ status: 422 });
      expect(blind.message).toContain('must be specified for an update');
    });

    test('events are found by the object they are about, and their count can be raised', async () => {
      const namespace = await subject.newNamespace();
      const event = (name: string, uid: string): KubeObject => ({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'p', uid },
        reason: 'Upgraded',
        message: 'done',
        type: 'Normal',
        count: 1,
        source: { component: 'sidestep' },
      });
      await subject.api.create(EVENTS, event('e1', 'uid-1'));
      await subject.api.create(EVENTS, event('e2', 'uid-2'));
      const found = await subject.api.list(EVENTS, { namespace, fieldSelector: 'involvedObject.uid=uid-1' });
      expect(found.items.map((one) => one.metadata.name)).toEqual(['e1']);
      const raised = await subject.api.patch<KubeObject>(
        EVENTS,
        { namespace, name: 'e1' },
        { count: 2 },
        { type: 'merge' },
      );
      expect(raised.count).toBe(2);
    });

    test('a controller revision keeps its data for ever, and may be renumbered', async () => {
      const namespace = await subject.newNamespace();
      const data = {
        spec: { containers: [{ name: 'mesh', weight: 2n ** 53n + 1n }], selector: { matchLabels: { b: '1', a: '2' } } },
      };
      const metadata = { name: 'rev', namespace, labels: { 'kruise.io/sidecarset-name': 'mesh' } };
      const revision = await subject.api.create<KubeObject>(REVISIONS, {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata,
        data,
        revision: 1,
      });
      expect(revision.data).toEqual(data);
      const renumbered = await subject.api.replace<KubeObject>(REVISIONS, { ...revision, revision: 2n ** 63n - 1n });
      expect(renumbered).toMatchObject({ revision: 2n ** 63n - 1n, data });
      expect(await refusal(subject.api.replace(REVISIONS, { ...renumbered, data: { other: 1 } }))).toMatchObject({
        status: 422,
        reason: 'Invalid',
      });
    });

    test('a secret takes text and keeps it encoded', async () => {
      const namespace = await subject.newNamespace();
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', namespace },
        stringData: { ca: 'text' },
      };
      const stored = await subject.api.create<KubeObject>(SECRETS, secret);
      expect(stored.data).toEqual({ ca: Buffer.from('text').toString('base64') });
      expect(stored.type).toBe('Opaque');
    });

    test('the status of a node is written through its subresource only', async () => {
      const name = `node-${await subject.newNamespace()}`;
      await subject.api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
      const conditions = [{ type: 'Ready', status: 'False', reason: 'Test' }];
      await subject.api.patch<KubeObject>(NODES, { name }, { status: { conditions } }, { type: 'strategic' });
      const untouched = await subject.api.get<KubeObject>(NODES, { name });
      expect(JSON.stringify(untouched.status ?? {})).not.toContain('Ready');
      const written = await subject.api.patch<KubeObject>(
        NODES,
        { name },
        { status: { conditions } },
        { type: 'strategic', subresource: 'status' },
      );
      expect(written.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'False' }] });
    });
  });
};
