import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, eventually, MUTATING, PODS, refusal, type Subject, VALIDATING } from './subject.js';
import { patchAnswer, startWebhookServer, type WebhookServer } from './webhook-server.js';

type Open = Record<string, unknown>;
type Request = Open & { object: KubeObject & { data?: Open }; oldObject: KubeObject | null };

const LABEL = 'contract.sidestep.dev/admission';
const MARK = { op: 'add', path: '/data/mutated', value: 'yes' };

/** Mutates, denies or fails as the object's data asks. */
function answer(request: Open, path: string): object {
  if (path === '/delete') return { allowed: true };
  const { object } = request as Request;
  if (path === '/inject')
    return patchAnswer([{ op: 'add', path: '/spec/containers/0', value: { name: 'mesh', image: 'mesh:1' } }]);
  if (path === '/mutate') return patchAnswer([MARK]);
  if (object.data?.deny === 'plain') return { allowed: false };
  if (object.data?.deny)
    return { allowed: false, status: { code: 422, reason: 'Invalid', message: 'spec.x: Invalid value' } };
  return { allowed: true };
}

export const admissionContract = (subject: Subject): void => {
  describe('admission webhooks', () => {
    let server: WebhookServer;
    let namespace: string;

    const configuration = (type: typeof MUTATING, name: string, webhook: Open): KubeObject => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: type.kind,
      metadata: { name },
      webhooks: [
        {
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 30,
          matchPolicy: 'Equivalent',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
          ],
          ...webhook,
        },
      ],
    });
    const at = (path: string): Open => ({ clientConfig: { url: server.url(path), caBundle: server.caBundle } });
    const wanting = (value: string): Open => ({ objectSelector: { matchLabels: { [LABEL]: value } } });
    const labelled = (name: string, value: string, data: Record<string, string> = { a: 'b' }): KubeObject => ({
      ...configMap(namespace, name, data),
      metadata: { name, namespace, labels: { [LABEL]: value } },
    });

    beforeAll(async () => {
      namespace = await subject.newNamespace();
      server = await startWebhookServer(answer);
      const dead = { clientConfig: { url: 'https://127.0.0.1:1/', caBundle: server.caBundle } };
      const pods = { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] };
      await subject.api.create(
        MUTATING,
        configuration(MUTATING, 'contract-mutating', { name: 'm.contract.dev', ...at('/mutate'), ...wanting('call') }),
      );
      await subject.api.create(
        MUTATING,
        configuration(MUTATING, 'contract-inject', { name: 'i.contract.dev', ...at('/inject'), ...pods }),
      );
      await subject.api.create(
        VALIDATING,
        configuration(VALIDATING, 'contract-validating', {
          name: 'v.contract.dev',
          ...at('/validate'),
          ...wanting('call'),
        }),
      );
      const deletions = {
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }],
      };
      await subject.api.create(
        VALIDATING,
        configuration(VALIDATING, 'contract-deletes', { name: 'r.contract.dev', ...at('/delete'), ...deletions }),
      );
      await subject.api.create(
        MUTATING,
        configuration(MUTATING, 'contract-dead', { name: 'd.contract.dev', ...dead, ...wanting('dead') }),
      );
      await subject.api.create(
        MUTATING,
        configuration(MUTATING, 'contract-soft', {
          name: 's.contract.dev',
          ...dead,
          ...wanting('soft'),
          failurePolicy: 'Ignore',
        }),
      );
      await eventually('the webhooks to be called', async () => {
        const tried = await subject.api.create<KubeObject>(CONFIG_MAPS, labelled('probe', 'call'), { dryRun: true });
        const failing = await refusal(
          subject.api.create(CONFIG_MAPS, labelled('probe', 'dead'), { dryRun: true }),
        ).catch(() => undefined);
        const validated = server.asked.some(({ path }) => path === '/validate');
        return ((tried.data as Open).mutated === 'yes' && failing !== undefined && validated) || undefined;
      });
    }, 120_000);

    afterAll(async () => {
      for (const name of ['contract-mutating', 'contract-inject', 'contract-dead', 'contract-soft'])
        await subject.api.delete(MUTATING, { name });
      for (const name of ['contract-validating', 'contract-deletes']) await subject.api.delete(VALIDATING, { name });
      await server.stop();
    });

    test('a mutating webhook changes the object, and the validating one sees it changed', async () => {
      const stored = await subject.api.create<KubeObject>(CONFIG_MAPS, labelled('mutated', 'call'));
      expect(stored.data).toEqual({ a: 'b', mutated: 'yes' });
      const seen = server.asked.findLast(({ path }) => path === '/validate')?.request as unknown as Request;
      expect(seen.object.data).toEqual({ a: 'b', mutated: 'yes' });
    });

    test('the review names the request as a webhook needs it', async () => {
      await subject.api.create(CONFIG_MAPS, labelled('reviewed', 'call'));
      await subject.api.patch(CONFIG_MAPS, { namespace, name: 'reviewed' }, { data: { a: 'c' } }, { type: 'merge' });
      const [created, updated] = server.asked
        .filter(({ path, request }) => path === '/mutate' && request.name === 'reviewed')
        .map(({ request }) => request as unknown as Request);
      expect(created).toMatchObject({
        operation: 'CREATE',
        namespace,
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { kind: 'ConfigMap' },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      });
      expect(created?.userInfo).toMatchObject({ username: expect.any(String) });
      expect(updated).toMatchObject({
        operation: 'UPDATE',
        oldObject: { data: { a: 'b' } },
        object: { data: { a: 'c' } },
      });
    });

    test('the review of a deletion says whether it is a dry run', async () => {
      const ref = { namespace, name: 'deleted' };
      const reviews = () => server.asked.filter(({ path, request }) => path === '/delete' && request.name === ref.name);
      const stored = await subject.api.create(CONFIG_MAPS, configMap(namespace, ref.name));
      await eventually('deletions to be reviewed', async () => {
        await subject.api.delete(CONFIG_MAPS, ref, { dryRun: true });
        return reviews().length > 0 || undefined;
      });
      await subject.api.delete(CONFIG_MAPS, ref);
      const [tried, done] = [reviews().at(0), reviews().at(-1)].map((one) => one?.request);
      const options = { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] };
      const oldObject = { metadata: { uid: stored.metadata.uid } };
      expect(tried).toMatchObject({ operation: 'DELETE', object: null, oldObject, dryRun: true, options });
      expect(done).toMatchObject({ operation: 'DELETE', object: null, oldObject, dryRun: false });
      expect(done?.options).not.toHaveProperty('dryRun');
    });

    test('a pod gets the containers that a webhook adds, with their defaults', async () => {
      const metadata = { generateName: 'p-', namespace };
      const pod = await subject.api.create<KubeObject>(PODS, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata,
        spec: { containers: [{ name: 'app', image: 'a:1' }] },
      });
      expect((pod.spec as Open).containers).toMatchObject([
        { name: 'mesh', image: 'mesh:1', imagePullPolicy: 'IfNotPresent', terminationMessagePolicy: 'File' },
        { name: 'app' },
      ]);
      const { request } = server.asked.findLast(({ path }) => path === '/inject') as { request: Open };
      expect((request.object as KubeObject).metadata.name).toBeUndefined();
      expect((request.object as KubeObject & { spec: Open }).spec).toMatchObject({ restartPolicy: 'Always' });
    });

    test('a refusal keeps its code and says who refused', async () => {
      const refused = await refusal(subject.api.create(CONFIG_MAPS, labelled('denied', 'call', { deny: 'yes' })));
      expect(refused).toMatchObject({
        status: 422,
        reason: 'Invalid',
        message: 'admission webhook "v.contract.dev" denied the request: spec.x: Invalid value',
      });
      const plain = await refusal(subject.api.create(CONFIG_MAPS, labelled('denied', 'call', { deny: 'plain' })));
      expect(plain).toMatchObject({
        status: 400,
        message: 'admission webhook "v.contract.dev" denied the request without explanation',
      });
    });

    test('a webhook that cannot be reached refuses or is skipped, as its policy says', async () => {
      const refused = await refusal(subject.api.create(CONFIG_MAPS, labelled('dead', 'dead')));
      expect(refused).toMatchObject({ status: 500, reason: 'InternalError' });
      expect(refused.message).toContain('failed calling webhook "d.contract.dev"');
      const passed = await subject.api.create<KubeObject>(CONFIG_MAPS, labelled('soft', 'soft'));
      expect(passed.data).toEqual({ a: 'b' });
    });

    test('objects and namespaces that are not selected pass by', async () => {
      const calls = server.asked.length;
      const other = await subject.newNamespace();
      await subject.api.create(CONFIG_MAPS, configMap(namespace, 'unlabelled'));
      const elsewhere = {
        ...configMap(other, 'elsewhere'),
        metadata: { name: 'elsewhere', namespace: other, labels: { [LABEL]: 'call' } },
      };
      await subject.api.create(CONFIG_MAPS, elsewhere);
      expect(server.asked.length).toBe(calls);
    });
  });
};
