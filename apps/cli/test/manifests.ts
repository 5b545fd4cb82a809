import { applyJsonPatch, type Pod } from '@sidestep/core';
import { runCli } from './run-cli.js';

/** A hot sidecar `mesh` for pods labelled `app: shop`; `change` edits the text. */
export const meshSet = (change: (text: string) => string = (text) => text): string =>
  change(`apiVersion: apps.kruise.io/v1beta1
kind: SidecarSet
metadata:
  name: mesh
spec:
  selector:
    matchLabels: {app: shop}
  updateStrategy:
    maxUnavailable: 1
  containers:
  - name: mesh
    image: mesh:v1
    upgradeStrategy:
      upgradeType: HotUpgrade
      hotUpgradeEmptyImage: mesh@sha256:${'0'.repeat(64)}
`);

export const shopPod = (name = 'shop-1'): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: default
  labels: {app: shop}
spec:
  containers:
  - name: app
    image: app:1
`;

/** A pod as it runs after it was created while the SidecarSet was `set`. */
export async function runningPod(name: string, set = meshSet()): Promise<Pod> {
  const files = { 'pod.yaml': shopPod(name), 'set.yaml': set };
  const { stdout } = await runCli(['inject', '-f', 'pod.yaml', '-s', 'set.yaml', '-o', 'json'], { files });
  const pod = JSON.parse(stdout) as Pod;
  const since = '2026-01-01T00:00:00Z';
  const containerStatuses = pod.spec.containers.map(({ name: container, image = '' }) => ({
    name: container,
    image,
    imageID: `sha256:${image}`,
    containerID: `test://${name}-${container}-${image}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: since } },
  }));
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True', lastTransitionTime: since }));
  return applyJsonPatch(pod, [
    { op: 'add', path: '/metadata/uid', value: `uid-${name}` },
    { op: 'add', path: '/metadata/resourceVersion', value: '1' },
    { op: 'add', path: '/status', value: { phase: 'Running', conditions, containerStatuses } },
  ]);
}
