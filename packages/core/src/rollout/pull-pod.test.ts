import { describe, expect, test } from '@jest/globals';
import type { ContainerState, Pod } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { PULL_DEADLINE_MS, pullOwnerOf, pullPod, pullRequestOf, pullStateOf } from './pull-pod.js';

const NOW = new Date('2026-01-01T01:00:00Z');
const sidecarSet: SidecarSet = { metadata: { name: 'mesh-set' }, spec: { imagePullSecrets: [{ name: 'registry' }] } };
const request = { node: 'node-1', image: 'mesh:v2' };

const pulling = (state: ContainerState | undefined, ageMs = 1_000, phase = 'Pending'): Pod => {
  const pod = pullPod(request, sidecarSet, 'kruise-system');
  const creationTimestamp = new Date(NOW.getTime() - ageMs).toISOString();
  const containerStatuses = state === undefined ? [] : [{ name: 'pull', state }];
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp }, status: { phase, containerStatuses } };
};

describe('a pod that pulls an image to a node', () => {
  test('has one name per node and image, goes to that node, and takes the pull secrets with it', () => {
    const pod = pullPod(request, sidecarSet, 'kruise-system');
    expect(pod.metadata.name).toBe(pullPod(request, sidecarSet, 'kruise-system').metadata.name);
    expect(pod.metadata.name).not.toBe(
      pullPod({ ...request, node: 'node-2' }, sidecarSet, 'kruise-system').metadata.name,
    );
    expect(pod.spec).toMatchObject({
      nodeName: 'node-1',
      imagePullSecrets: [{ name: 'registry' }],
      restartPolicy: 'Never',
    });
    expect(pullRequestOf(pod)).toEqual(request);
  });

  test('is owned by the SidecarSet that asked for it, so that it goes with it', () => {
    const pod = pullPod(request, { ...sidecarSet, metadata: { name: 'mesh-set', uid: 'uid-1' } }, 'kruise-system');
    expect(pod.metadata.ownerReferences).toEqual([
      { apiVersion: 'apps.kruise.io/v1beta1', kind: 'SidecarSet', name: 'mesh-set', uid: 'uid-1' },
    ]);
    expect(pullOwnerOf(pod)).toBe('mesh-set');
    expect(pullOwnerOf(pullPod(request, sidecarSet, 'kruise-system'))).toBeUndefined();
  });

  test('is told from every other pod', () => {
    expect(pullRequestOf({ metadata: { name: 'web' }, spec: { nodeName: 'node-1', containers: [] } })).toBeUndefined();
  });

  test.each<[string, Pod, { state: string; final: boolean }]>([
    ['pulls while nothing is known', pulling(undefined), { state: 'pulling', final: false }],
    ['pulls', pulling({ waiting: { reason: 'ContainerCreating' } }), { state: 'pulling', final: false }],
    ['has pulled when the container runs', pulling({ running: {} }), { state: 'present', final: true }],
    [
      'has pulled when the container ended',
      pulling({ terminated: { exitCode: 0 } }),
      { state: 'present', final: true },
    ],
    [
      'has pulled when the image has no such program',
      pulling({ waiting: { reason: 'RunContainerError' } }),
      { state: 'present', final: true },
    ],
    ['has failed for now', pulling({ waiting: { reason: 'ImagePullBackOff' } }), { state: 'failed', final: false }],
    [
      'has failed for good when it is late',
      pulling({ waiting: { reason: 'ErrImagePull' } }, PULL_DEADLINE_MS),
      { state: 'failed', final: true },
    ],
    [
      'has failed on a node that does not answer',
      pulling(undefined, PULL_DEADLINE_MS),
      { state: 'failed', final: true },
    ],
    ['has failed when the kubelet refused it', pulling(undefined, 1_000, 'Failed'), { state: 'failed', final: true }],
  ])('%s', (_what, pod, expected) => {
    expect(pullStateOf(pod, NOW)).toEqual(expected);
  });
});
