import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@sidestep/kube';
import { PODS, refusal, type Subject } from './subject.js';

type Open = Record<string, unknown>;

export const podContract = (subject: Subject): void => {
  type Pod = KubeObject & { spec: Open; status?: Open };
  const makePod = async (spec: Open = {}): Promise<Pod> => {
    const namespace = await subject.newNamespace();
    const containers = [
      { name: 'mesh', image: 'mesh:1.0' },
      { name: 'app', image: 'shop/app' },
    ];
    return subject.api.create<Pod>(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace, labels: { app: 'shop' } },
      spec: { containers, ...spec },
    });
  };
  const refOf = ({ metadata }: KubeObject): { namespace: string; name: string } => ({
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
  });

  describe('pods', () => {
    test('a strategic merge patch merges containers by name, and annotations by key', async () => {
      const pod = await makePod();
      const patch = {
        metadata: { resourceVersion: pod.metadata.resourceVersion, annotations: { 'kruise.io/y': '2' } },
        spec: { containers: [{ name: 'mesh', image: 'mesh:2.0' }] },
      };
      const patched = await subject.api.patch<Pod>(PODS, refOf(pod), patch, { type: 'strategic' });
      expect(patched.metadata.annotations).toMatchObject({ 'kruise.io/y': '2' });
      const images = (patched.spec.containers as Open[]).map(({ name, image }) => [name, image]);
      expect(images).toEqual([
        ['mesh', 'mesh:2.0'],
        ['app', 'shop/app'],
      ]);
    });

    test('a strategic merge patch names containers in the order of the pod: any other would move them, and is refused', async () => {
      const pod = await makePod();
      const mesh = { name: 'mesh', image: 'mesh:2.0' };
      const app = { name: 'app', image: 'shop/app:2' };
      const patch = (containers: object[]) =>
        subject.api.patch<Pod>(PODS, refOf(pod), { spec: { containers } }, { type: 'strategic' });
      const refused = await refusal(patch([app, mesh]));
      expect(refused).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(refused.message).toContain('pod updates may not change fields other than');
      const { spec } = await patch([mesh, app]);
      expect((spec.containers as Open[]).map(({ image }) => image)).toEqual(['mesh:2.0', 'shop/app:2']);
    });

    test('a strategic merge patch that writes the version it was made for meets a conflict when it is late', async () => {
      const pod = await makePod();
      const { resourceVersion } = pod.metadata;
      await subject.api.patch(PODS, refOf(pod), { metadata: { annotations: { other: 'x' } } }, { type: 'merge' });
      const late = { metadata: { resourceVersion }, spec: { containers: [{ name: 'mesh', image: 'mesh:2.0' }] } };
      expect(await refusal(subject.api.patch(PODS, refOf(pod), late, { type: 'strategic' }))).toMatchObject({
        status: 409,
        reason: 'Conflict',
      });
    });

    test('one empty entry of managedFields in a strategic merge patch takes these books of a pod away', async () => {
      const pod = await makePod();
      const release = {
        metadata: { managedFields: [{}] },
        spec: { containers: [{ name: 'mesh', image: 'mesh:2.0' }] },
      };
      const released = await subject.api.patch<Pod>(PODS, refOf(pod), release, { type: 'strategic' });
      expect(released.metadata.managedFields ?? []).toEqual([]);
      expect((released.spec.containers as Open[])[0]).toMatchObject({ name: 'mesh', image: 'mesh:2.0' });
    });

    test('a new pod has its defaults and is pending', async () => {
      const probe = { httpGet: { path: '/', port: 80 } };
      const containers = [
        {
          name: 'a',
          image: 'a:1',
          ports: [{ containerPort: 80 }],
          readinessProbe: probe,
          resources: { limits: { cpu: '1' } },
        },
        { name: 'b', image: 'b', env: [{ name: 'NS', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }] },
      ];
      const volumes = [{ name: 'e' }, { name: 's', secret: { secretName: 'x' } }];
      const pod = await makePod({ containers, volumes });
      expect(pod.spec).toMatchObject({
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        terminationGracePeriodSeconds: 30,
        securityContext: {},
        schedulerName: 'default-scheduler',
        serviceAccountName: 'default',
        enableServiceLinks: true,
        containers: [
          {
            imagePullPolicy: 'IfNotPresent',
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            readinessProbe: {
              httpGet: { scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 10,
              successThreshold: 1,
              failureThreshold: 3,
            },
            resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
          },
          { imagePullPolicy: 'Always', env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }] },
        ],
      });
      expect((pod.spec.volumes as Open[]).slice(0, 2)).toEqual([
        { name: 'e', emptyDir: {} },
        { name: 's', secret: { secretName: 'x', defaultMode: 420 } },
      ]);
      expect(pod.status).toMatchObject({ phase: 'Pending', qosClass: 'Burstable' });
    });

    test('an image may be changed in place, by strategic merge and by JSON patch', async () => {
      const pod = await makePod();
      const strategic = { spec: { containers: [{ name: 'mesh', image: 'mesh:2.0' }] } };
      const merged = await subject.api.patch<KubeObject>(PODS, refOf(pod), strategic, { type: 'strategic' });
      expect(merged.spec).toMatchObject({ containers: [{ name: 'mesh', image: 'mesh:2.0' }, { name: 'app' }] });
      const json = [{ op: 'replace', path: '/spec/containers/0/image', value: 'mesh:3.0' }];
      const patched = await subject.api.patch<KubeObject>(PODS, refOf(pod), json, { type: 'json' });
      expect(patched.spec).toMatchObject({ containers: [{ image: 'mesh:3.0' }, { image: 'shop/app' }] });
      expect(patched.metadata.generation).toBe(3);
    });

    test.each([
      ['env', { containers: [{ name: 'mesh', env: [{ name: 'A', value: 'b' }] }] }],
      ['a new container', { containers: [{ name: 'late', image: 'l:1' }] }],
      ['the restart policy', { restartPolicy: 'Never' }],
    ])('%s cannot be changed any more', async (_what, spec) => {
      const pod = await makePod();
      const refused = await refusal(subject.api.patch(PODS, refOf(pod), { spec }, { type: 'strategic' }));
      expect(refused).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(refused.message).toMatch(
        /pod updates may not (change fields other than `spec.containers\[\*\].image`|add or remove containers)/,
      );
    });

    test('conditions of the status merge by type, and the spec is out of reach there', async () => {
      const pod = await makePod();
      const condition = (type: string, status: string): object => ({
        type,
        status,
        lastTransitionTime: '2026-11-22T10:00:00Z',
      });
      const write = (conditions: object[]): Promise<KubeObject> =>
        subject.api.patch(
          PODS,
          refOf(pod),
          { status: { conditions }, spec: { priority: 5 } },
          { type: 'strategic', subresource: 'status' },
        );
      await write([condition('Ready', 'False'), condition('SidecarSetUpgradable', 'True')]);
      const after = (await write([condition('Ready', 'True')])) as KubeObject & {
        status: { conditions: Open[] };
        spec: Open;
      };
      expect(after.status.conditions.map(({ type, status }) => `${type}=${status}`).sort()).toEqual([
        'Ready=True',
        'SidecarSetUpgradable=True',
      ]);
      expect(after.spec.priority).toBe(0);
      expect(after.metadata.generation).toBe(pod.metadata.generation);
    });

    test('the status written by a client through the main resource is ignored', async () => {
      const pod = await makePod();
      const patched = await subject.api.patch<KubeObject>(
        PODS,
        refOf(pod),
        { status: { phase: 'Running' } },
        { type: 'merge' },
      );
      expect(patched.status).toMatchObject({ phase: 'Pending' });
    });

    test('a kubelet can replace the whole status with the version it saw, once', async () => {
      const pod = await makePod();
      const status = {
        phase: 'Running',
        containerStatuses: [
          { name: 'mesh', image: 'mesh:1.0', imageID: 'sha256:1', containerID: 'c://1', ready: true, restartCount: 0 },
        ],
      };
      const written = await subject.api.replace<KubeObject>(PODS, { ...pod, status }, { subresource: 'status' });
      expect(written.status).toMatchObject({ containerStatuses: [{ containerID: 'c://1', ready: true }] });
      expect(await refusal(subject.api.replace(PODS, { ...pod, status }, { subresource: 'status' }))).toMatchObject({
        status: 409,
      });
    });

    test.each([
      ['no containers', { containers: [] }, 'spec.containers: Required value'],
      [
        'a name twice',
        {
          containers: [
            { name: 'a', image: 'x' },
            { name: 'a', image: 'y' },
          ],
        },
        'Duplicate value: "a"',
      ],
      [
        'a mount without a volume',
        { containers: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
        'Not found: "v"',
      ],
      ['no image', { containers: [{ name: 'a' }] }, 'spec.containers[0].image: Required value'],
    ])('a pod with %s is refused', async (_what, spec, message) => {
      const refused = await refusal(makePod(spec));
      expect(refused).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(refused.message).toContain(message);
    });
  });
};
