/** What the planner tells on a pod that failed and that no worker looks at any more. */
import { describe, expect, test } from '@jest/globals';
import { coldSet } from '../../testing/sidecarsets.js';
import type { SimulatedPod } from '../../testing/simulated-pod.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import type { ContainerStatus } from '../api/kubernetes.js';

type State = Pick<ContainerStatus, 'state'>;
const RUNS: State = { state: { running: {} } };
const CRASHES: State = { state: { waiting: { reason: 'CrashLoopBackOff' } } };
const NOT_PULLED: State = { state: { waiting: { reason: 'ErrImagePull' } } };

/** A plain sidecar of one pod was changed and does not come up. */
function crashing(): { rollout: SimulatedRollout; pod: SimulatedPod } {
  const rollout = new SimulatedRollout(coldSet(), 1).wait(3600).image({ log: 'log:crash' }).run();
  return { rollout, pod: [...rollout.pods.values()][0] as SimulatedPod };
}

let version = 0;

/** The kubelet reports the sidecar so, and the planner looks. */
function shows(rollout: SimulatedRollout, pod: SimulatedPod, state: State): void {
  rollout.wait(10);
  version += 1;
  const { metadata, status } = pod.pod;
  const containerStatuses = status?.containerStatuses?.map((each) =>
    each.name === 'log' ? { ...each, ...state, restartCount: each.restartCount + 1 } : each,
  );
  pod.pod = {
    ...pod.pod,
    metadata: { ...metadata, resourceVersion: `shown-${version}` },
    status: { ...status, containerStatuses },
  };
  rollout.look();
}

describe('a pod in a crash loop', () => {
  test('is told of once, however often its container runs for a moment', () => {
    const { rollout, pod } = crashing();
    expect(rollout.podEvents).toEqual([expect.stringMatching(/^pod-0 log CrashLoop: /)]);
    for (let round = 0; round < 4; round += 1) {
      shows(rollout, pod, RUNS);
      expect(rollout.ledger.summaryOf('shop/pod-0')?.state).not.toBe('Failed');
      shows(rollout, pod, CRASHES);
      expect(rollout.ledger.summaryOf('shop/pod-0')?.state).toBe('Failed');
    }
    expect(rollout.podEvents).toHaveLength(1);
  });

  test('is told of again when it fails otherwise, and of each failure once', () => {
    const { rollout, pod } = crashing();
    for (let round = 0; round < 3; round += 1) {
      for (const state of [NOT_PULLED, RUNS, CRASHES]) shows(rollout, pod, state);
    }
    expect(rollout.podEvents).toEqual([
      expect.stringContaining('CrashLoop'),
      expect.stringContaining('ImagePullFailed'),
    ]);
  });

  test('is told of again on another revision, and not on the former one that comes back before the pod was touched', () => {
    const { rollout } = crashing();
    rollout.image({ log: 'log:v3' }).strategy({ paused: true }).look();
    rollout.image({ log: 'log:crash' }).look();
    expect(rollout.ledger.summaryOf('shop/pod-0')?.state).toBe('Failed');
    expect(rollout.podEvents).toHaveLength(1);
    rollout.image({ log: 'log:crash-again' }).strategy({ paused: false }).wait(3600).run();
    expect(rollout.podEvents.slice(1)).toEqual([expect.stringContaining('log:crash-again')]);
  });

  test('says nothing of the next pod of its name, which is told of by itself', () => {
    const { rollout } = crashing();
    rollout.removePod('pod-0');
    rollout.image({ log: 'log:v1' });
    const next = rollout.addPod('pod-0');
    next.pod = { ...next.pod, metadata: { ...next.pod.metadata, uid: 'another' } };
    rollout.run().image({ log: 'log:crash' }).wait(3600).run();
    expect(rollout.podEvents).toEqual(Array(2).fill(expect.stringContaining('pod-0 log CrashLoop')));
  });
});
