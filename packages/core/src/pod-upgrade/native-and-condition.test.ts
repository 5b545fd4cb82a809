import { describe, expect, test } from '@jest/globals';
import { coldSet, storedSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import type { Pod } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { applyJsonPatch } from '../injection/apply-json-patch.js';
import { summarizePod } from '../rollout/pod-summary.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import { projectPod } from './project-pod.js';
import { upgradableConditionPatch } from './upgradable-condition.js';
import { upgradeTarget } from './upgrade-target.js';

const NOW = new Date('2026-03-01T12:00:00Z');

describe('native sidecars', () => {
  const nativeSet = (image: string, strategy: SidecarSet['spec']['updateStrategy']): SidecarSet =>
    storedSet(
      {
        metadata: { name: 'log-set' },
        spec: {
          selector: { matchLabels: { app: 'shop' } },
          updateStrategy: { ...strategy },
          initContainers: [{ name: 'proxy', image, restartPolicy: 'Always' }],
        },
      },
      7,
    );
  const pod = (): Pod => {
    const base = new SimulatedPod({ ...coldSet(), ...nativeSet('proxy:v1', {}) }).pod;
    const running = { running: { startedAt: '2026-03-01T10:00:00Z' } };
    const status = {
      name: 'proxy',
      image: 'proxy:v1',
      imageID: 'i1',
      containerID: 'c://one',
      ready: true,
      started: true,
      restartCount: 0,
      state: running,
    };
    return {
      ...base,
      spec: {
        ...base.spec,
        initContainers: [
          { name: 'init', image: 'x' },
          { name: 'proxy', image: 'proxy:v1', restartPolicy: 'Always' },
        ],
      },
      status: { ...base.status, initContainerStatuses: [status] },
    };
  };
  const replaced = (before: Pod): Pod => {
    const statuses = before.status?.initContainerStatuses?.map((each) => ({
      ...each,
      image: 'proxy:v2',
      imageID: 'i2',
      containerID: 'c://two',
    }));
    return { ...before, status: { ...before.status, initContainerStatuses: statuses ?? [] } };
  };

  test('are upgraded in place where nativeSidecars is InPlace', () => {
    const target = upgradeTarget(nativeSet('proxy:v2', { nativeSidecars: 'InPlace' }));
    const decision = decidePodUpgrade({ target, pod: pod() as never, now: NOW });
    expect(decision.due).toBe('upgrade');
    expect(decision.patch).toContainEqual({ op: 'replace', path: '/spec/initContainers/1/image', value: 'proxy:v2' });
    const written = applyJsonPatch(pod(), decision.patch ?? []);
    const look = (each: Pod) => decidePodUpgrade({ target, pod: each as never, now: NOW });
    expect(look(written)).toMatchObject({
      state: 'Upgrading',
      due: 'none',
      reason: 'ContainerStarting',
      container: 'proxy',
    });
    expect(look(replaced(written))).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });

  test('are read from the projection as well', () => {
    const target = upgradeTarget(nativeSet('proxy:v2', { nativeSidecars: 'InPlace' }));
    const context = { target, specHash: target.hash };
    expect(summarizePod(context, projectPod(pod()), NOW)).toEqual(summarizePod(context, pod(), NOW));
  });

  test('are not touched without it', () => {
    const target = upgradeTarget(nativeSet('proxy:v2', {}));
    const { patch } = decidePodUpgrade({ target, pod: pod() as never, now: NOW });
    expect(patch?.map(({ path }) => path)).not.toContainEqual(expect.stringContaining('/spec/'));
  });
});

describe('the pod condition SidecarSetUpgradable', () => {
  const withCondition = (status: string, reason: string, message: string): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [] },
    status: {
      conditions: [
        { type: 'SidecarSetUpgradable', status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    },
  });
  const conditionOf = (pod: Pod, set: string, upgradable: boolean) =>
    upgradableConditionPatch(pod, set, upgradable, NOW)?.status.conditions[0];

  test('is written with the first answer', () => {
    expect(conditionOf({ metadata: {}, spec: { containers: [] } }, 'a', true)).toEqual({
      type: 'SidecarSetUpgradable',
      status: 'True',
      reason: 'AllSidecarsetUpgradable',
      message: '{"a":true}',
      lastTransitionTime: '2026-03-01T12:00:00Z',
    });
  });
  test('is False as soon as one set says so, and keeps the answers of the others', () => {
    expect(conditionOf(withCondition('True', 'AllSidecarsetUpgradable', '{"b":true}'), 'a', false)).toMatchObject({
      status: 'False',
      reason: 'UpdateImmutableField',
      message: '{"a":false,"b":true}',
      lastTransitionTime: '2026-03-01T12:00:00Z',
    });
  });
  test('keeps its time while its status stays', () => {
    expect(conditionOf(withCondition('True', 'AllSidecarsetUpgradable', '{"b":true}'), 'a', true)).toMatchObject({
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });
  test('is not written when it says so already', () => {
    expect(conditionOf(withCondition('True', 'AllSidecarsetUpgradable', '{"a":true}'), 'a', true)).toBeUndefined();
  });
  test('is made anew when its message is no JSON', () => {
    expect(conditionOf(withCondition('True', 'AllSidecarsetUpgradable', 'broken'), 'a', true)).toMatchObject({
      message: '{"a":true}',
    });
  });
});
