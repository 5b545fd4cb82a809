import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';

const bad = { mesh: 'mesh:crash' };

describe('failure policy', () => {
  test('a failed pod is aborted, gives its slot back, and is not begun again', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { maxFailures: 5 } }), 4).image(bad).run();
    expect(rollout.on('mesh:v1')).toBe(4);
    expect(rollout.decision.status.failedPods).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True PodsFailed');
    expect([...rollout.pods.values()].every((pod) => pod.restartsOf('mesh-1') === 0)).toBe(true);
  });

  test('once more pods failed than allowed no more are begun, also by the next planner', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { maxFailures: 1 } }), 6).image(bad).run();
    expect(rollout.decision.status.failedPods).toBe(2);
    expect(rollout.condition('Degraded')).toBe('True TooManyFailures');
    expect(rollout.condition('Paused')).toBe('True TooManyFailures');
    rollout.replacePlanner().run();
    expect(rollout.decision.status.failedPods).toBe(2);
    expect(rollout.condition('Degraded')).toBe('True TooManyFailures');
  });

  test('it stays given up when the failed pods are deleted, until a retry is asked for', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: {} }), 4).image(bad).run();
    const failed = [...rollout.pods.keys()].filter((name) => rollout.ledger.summaryOf(`shop/${name}`)?.failed);
    for (const name of failed) rollout.removePod(name);
    rollout.run();
    expect(rollout.decision.status.failedPods).toBe(0);
    expect(rollout.condition('Paused')).toBe('True TooManyFailures');
    rollout.annotate(SIDESTEP.retry, 'now').run();
    expect(rollout.decision.status.failedPods).toBe(1);
  });

  test('another revision starts afresh', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: {} }), 4).image(bad).run();
    rollout.image({ mesh: 'mesh:v3' }).run();
    expect(rollout.on('mesh:v3')).toBe(4);
    expect(rollout.decision.status.failedRevision).toBeUndefined();
    expect(rollout.condition('Degraded')).toBe('False NoFailures');
  });

  test('Rollback: every pod goes back to the last good revision, and the spec is left as it is', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { action: 'Rollback' } }), 4);
    rollout.image({ mesh: 'mesh:v2' }).run();
    const good = rollout.decision.status.currentRevision;
    rollout.wait(3600).image(bad).run();
    expect(rollout.decision.status.currentRevision).toBe(good);
    expect(rollout.on('mesh:v2')).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
    expect(rollout.condition('Progressing')).toBe('False RolledBack');
    expect(rollout.set.spec.containers?.[0]?.image).toBe('mesh:crash');
    expect(rollout.events).toContain('RollingBack');
  });

  test('Rollback with pods that took the bad revision well: these are upgraded back', () => {
    const rollout = new SimulatedRollout(
      hotSet('mesh:v1', { maxUnavailable: 1, failurePolicy: { action: 'Rollback' } }),
      4,
    );
    rollout.image({ mesh: 'mesh:v2' });
    rollout.look();
    rollout.work().kubelets();
    rollout.look();
    rollout.work().kubelets();
    expect(rollout.on('mesh:v2')).toBe(1);
    // The second pod's node cannot pull it.
    rollout.look();
    const second = rollout.pods.get(rollout.decision.jobs[0]?.pod ?? '');
    rollout.work();
    const failing = () => {
      const statuses = second?.pod.status?.containerStatuses ?? [];
      const changed = statuses.map((status) =>
        status.name === 'mesh-2' ? { ...status, ready: false, state: { waiting: { reason: 'ErrImagePull' } } } : status,
      );
      if (second !== undefined)
        second.pod = { ...second.pod, status: { ...second.pod.status, containerStatuses: changed } };
      if (second !== undefined) second.pod.metadata = { ...second.pod.metadata, resourceVersion: 'failing' };
    };
    failing();
    rollout.look();
    rollout.work().kubelets().run();
    expect(rollout.on('mesh:v1')).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
  });

  test('Rollback: a revision that only the pods of a selector run is no good one to go back to, and takes the place of none', () => {
    const rollout = new SimulatedRollout(
      hotSet('mesh:v1', { maxUnavailable: 2, failurePolicy: { action: 'Rollback' } }),
      4,
    );
    const good = rollout.decision.status.currentRevision;
    const chosen = rollout.pods.get('pod-0')?.pod;
    if (chosen !== undefined) chosen.metadata.labels = { ...chosen.metadata.labels, canary: 'yes' };
    const selector = { matchLabels: { canary: 'yes' } };
    rollout.kubelets().strategy({ selector }).image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(1);
    expect(rollout.condition('Progressing')).toBe('False PartitionReached');
    expect(rollout.decision.status.currentRevision).toBe(good);
    for (const pod of rollout.pods.values()) if (pod !== rollout.pods.get('pod-0')) pod.failing.add('mesh:v2');
    rollout.edit(({ spec, ...set }) => {
      const { selector: _, ...updateStrategy } = spec.updateStrategy ?? {};
      return { ...set, spec: { ...spec, updateStrategy } };
    });
    rollout.wait(3_600).run();
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
    expect(rollout.on('mesh:v1')).toBe(4);
  });

  test('a revision is good once the pods that could not be upgraded in place were replaced, too', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1'), 2);
    const first = rollout.decision.status.currentRevision;
    rollout.edit(({ spec, ...set }) => ({
      ...set,
      spec: {
        ...spec,
        containers: (spec.containers ?? []).map((each) => ({ ...each, env: [{ name: 'NEW', value: '1' }] })),
      },
    }));
    rollout.addPod('late');
    rollout.kubelets().run();
    expect(rollout.decision.status.currentRevision).toBe(first);
    for (const name of ['pod-0', 'pod-1']) rollout.removePod(name);
    rollout.run();
    expect(rollout.decision.status.currentRevision).toBe(rollout.decision.status.latestRevision);
  });

  test('Rollback without a revision that ever ran well stops and says so', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { action: 'Rollback' } }), 0);
    for (const name of ['a', 'b', 'c']) rollout.addPod(name).unready.add('app');
    rollout.kubelets().image(bad).run();
    expect(rollout.condition('Degraded')).toBe('True NoGoodRevision');
  });
});
