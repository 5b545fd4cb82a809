import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { summarizePod } from '../rollout/pod-summary.js';
import { podProjection, projectPod } from './project-pod.js';
import { upgradeTarget } from './upgrade-target.js';

/** A pod in each state, as the API server shows it. */
function podInEachState(): [string, SimulatedPod][] {
  const strategy = { failurePolicy: {}, progressDeadlineSeconds: 600, minReadySeconds: 5 };
  const make = (image: string, ...phases: ('upgrade' | 'reset' | 'abort' | 'kubelet')[]): SimulatedPod => {
    const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });
    for (const phase of phases) {
      if (phase === 'kubelet') pod.wait(2).kubelet();
      else pod.run(phase);
    }
    return pod;
  };
  return [
    ['idle', make('mesh:v2')],
    ['up to date', make('mesh:v1')],
    ['upgrading', make('mesh:v2', 'upgrade')],
    ['migrated', make('mesh:v2', 'upgrade', 'kubelet')],
    ['resetting', make('mesh:v2', 'upgrade', 'kubelet', 'reset')],
    ['done', make('mesh:v2', 'upgrade', 'kubelet', 'reset', 'kubelet')],
    ['failed', make('mesh:crash', 'upgrade', 'kubelet')],
    ['aborted', make('mesh:crash', 'upgrade', 'kubelet', 'abort', 'kubelet')],
  ];
}

describe('a projected pod', () => {
  test.each(podInEachState())('that is %s is summarised exactly as the whole pod', (_, pod) => {
    const context = { target: upgradeTarget(pod.set), specHash: pod.targetHash };
    expect(summarizePod(context, projectPod(pod.pod), pod.clock)).toEqual(summarizePod(context, pod.pod, pod.clock));
  });

  test('keeps nothing that the rules do not read', () => {
    const { pod } = new SimulatedPod(hotSet());
    pod.metadata.managedFields = [{ a: 1 }];
    pod.metadata.annotations = { ...pod.metadata.annotations, 'example.org/large': 'x'.repeat(10_000) };
    pod.spec.volumes = [{ name: 'v' }];
    const text = JSON.stringify(projectPod(pod));
    expect(text).not.toMatch(/managedFields|example\.org|volumes/);
    expect(text.length).toBeLessThan(2_500);
  });

  test('keeps of a container id what tells two containers of a pod apart', () => {
    const { pod } = new SimulatedPod(hotSet());
    const [status] = pod.status?.containerStatuses ?? [];
    if (status) status.containerID = `containerd://${'0123456789abcdef'.repeat(4)}`;
    expect(projectPod(pod).status.containerStatuses?.[0]?.containerID).toBe('0123456789ab');
  });

  test('shares with other pods what they have in common', () => {
    const project = podProjection();
    const [a, b] = ['pod-0', 'pod-1'].map((name) => project(new SimulatedPod(hotSet(), name).pod));
    expect(a?.spec.containers).toBe(b?.spec.containers);
    expect(a?.metadata.labels).toBe(b?.metadata.labels);
  });

  test('leaves the pod it was made of alone', () => {
    const { pod } = new SimulatedPod(hotSet());
    const before = structuredClone(pod);
    projectPod(pod);
    expect(pod).toEqual(before);
  });
});
