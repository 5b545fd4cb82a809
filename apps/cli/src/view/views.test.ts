import { describe, expect, test } from '@jest/globals';
import { type Condition, type FullPod, REASONS, SIDESTEP, type SidecarSet } from '@sidestep/core';
import pc from 'picocolors';
import { recordedSnapshot } from '../../test/snapshots.js';
import { ageText, renderTree } from '../render/tree.js';
import { renderWhy } from '../render/why.js';
import { sidecarSetView } from './sidecarset-view.js';
import { verdictOf } from './verdict.js';
import { reasonsOfPods, whyPod, whySidecarSet } from './why-view.js';

const plain = pc.createColors(false);
const rolling = recordedSnapshot('rolling-out');
const failed = recordedSnapshot('failed');

describe('the verdict', () => {
  const withConditions = (
    conditions: Record<string, [string, string]>,
    more: Partial<SidecarSet> = {},
  ): SidecarSet => ({
    metadata: { name: 'mesh', generation: 2 },
    spec: {},
    status: {
      observedGeneration: 2,
      matchedPods: 1,
      updatedPods: 1,
      readyPods: 1,
      conditions: Object.entries(conditions).map(
        ([type, [status, reason]]) => ({ type, status, reason, message: reason }) as Condition,
      ),
    },
    ...more,
  });

  test.each<[string, Record<string, [string, string]>]>([
    ['Complete', { Progressing: ['False', 'RolloutComplete'] }],
    [
      'Complete',
      {
        Progressing: ['False', 'PartitionReached'],
        Paused: ['False', 'NotPaused'],
      },
    ],
    [
      'Progressing',
      {
        Progressing: ['True', 'RollingOut'],
        Degraded: ['False', 'NoFailures'],
      },
    ],
    ['Progressing', { Progressing: ['True', 'RollingOut'], Degraded: ['True', 'PodsFailed'] }],
    ['Progressing', { Progressing: ['False', 'WaitingForReadyTime'] }],
    [
      'Failed',
      {
        Progressing: ['False', 'MaxUnavailableReached'],
        Degraded: ['True', 'PodsFailed'],
      },
    ],
    [
      'Failed',
      {
        Progressing: ['True', 'RollingBack'],
        Degraded: ['True', 'RollingBack'],
      },
    ],
    ['Failed', { Progressing: ['False', 'MaxUnavailableZero'] }],
    ['Failed', { Progressing: ['False', 'AnnotationMalformed'] }],
    ['Failed', { Progressing: ['False', 'BothContainersEmpty'] }],
    ['Failed', { Progressing: ['False', 'WorkingPointerMissing'] }],
    [
      'Failed',
      {
        Progressing: ['False', 'AbortRequested'],
        Paused: ['True', 'AbortRequested'],
      },
    ],
    ['Paused', { Progressing: ['False', 'StepPause'], Paused: ['True', 'StepPause'] }],
    ['Paused', { Progressing: ['False', 'Paused'], Paused: ['True', 'Paused'] }],
    ['Waiting', {}],
  ])('is %s for %j', (state, conditions) => {
    expect(verdictOf(withConditions(conditions)).state).toBe(state);
  });

  test('waits for the planner after an edit and after a retry, whatever the old conditions say', () => {
    const conditions: Record<string, [string, string]> = {
      Progressing: ['False', 'RolloutComplete'],
    };
    const edited = withConditions(conditions, {
      metadata: { name: 'mesh', generation: 3 },
    });
    expect(verdictOf(edited)).toEqual({
      state: 'Waiting',
      reason: '',
      message: 'the planner saw generation 2, this is 3',
    });
    const retried = withConditions(conditions, {
      metadata: {
        name: 'mesh',
        generation: 2,
        annotations: { [SIDESTEP.retry]: 'now' },
      },
    });
    expect(verdictOf(retried).state).toBe('Waiting');
  });
});

describe('the tree of a rollout', () => {
  test('that goes on shows each pod under its revision, those that need a look first', () => {
    expect(renderTree(sidecarSetView(rolling, rolling.at), plain, 10)).toMatchInlineSnapshot(`
      "↻ SidecarSet mesh  mesh:v3
        Progressing RollingOut: 1 of 4 pods updated, 1 under way, 0 failed
        1/4 updated, 3 ready, 1 upgrading; maxUnavailable 2

      ├─ revision 4 mesh-6cbfc9d654 (latest)  mesh:v3, 2 pods
      │  ├─ ↻ shop/shop-2  Upgrading, migration due  not ready  mesh:v3  2m  ContainerStarting: the kubelet has not put image mesh:v3 on container mesh-2 yet
      │  └─ ↻ shop/shop-4  Upgrading, migration due  not ready  mesh:v3  2m  ContainerStarting: the kubelet has not put image mesh:v3 on container mesh-2 yet
      └─ revision 3 mesh-bd96986b8 (good)  mesh:v1, 2 pods
         ├─ ○ shop/shop-1  Idle                      ready      mesh:v1  2m  AwaitingSelection: runs mesh-bd96986b8 and waits to be picked
         └─ ○ shop/shop-3  Idle                      ready      mesh:v1  2m  AwaitingSelection: runs mesh-bd96986b8 and waits to be picked
      and 1 older revision that no pod runs
      "
    `);
  });

  test('that failed shows which pods and why', () => {
    expect(renderTree(sidecarSetView(failed, failed.at), plain, 10)).toMatchInlineSnapshot(`
      "✖ SidecarSet mesh  mesh:missing
        Failed TooManyFailures: 2 pods failed on mesh-744f494c77, 0 allowed; no more are begun: shop/shop-2: failed on this revision before: ImagePullFailed; shop/shop-4: failed on this revision before: ImagePullFailed
        0/4 updated, 4 ready, 0 upgrading, 2 failed; maxUnavailable 2

      ├─ revision 6 mesh-744f494c77 (latest, failed)  mesh:missing, 0 pods
      └─ revision 5 mesh-bd96986b8 (good)  mesh:v1, 4 pods
         ├─ ○ shop/shop-2  Idle  ready  mesh:v1  3m  FailedBefore: failed on this revision before: ImagePullFailed
         ├─ ○ shop/shop-4  Idle  ready  mesh:v1  3m  FailedBefore: failed on this revision before: ImagePullFailed
         ├─ ○ shop/shop-1  Idle  ready  mesh:v1  3m  AwaitingSelection: runs mesh-bd96986b8 and waits to be picked
         └─ ○ shop/shop-3  Idle  ready  mesh:v1  3m  AwaitingSelection: runs mesh-bd96986b8 and waits to be picked
      and 2 older revisions that no pod runs
      "
    `);
  });

  test('is cut at the limit, and says so', () => {
    expect(renderTree(sidecarSetView(rolling, rolling.at), plain, 1)).toContain('└─ and 1 more (--limit)');
  });

  test('counts ages as kubectl does', () => {
    expect([5, 119, 120, 7_199, 7_200, 172_800].map(ageText)).toEqual(['5s', '119s', '2m', '119m', '2h', '2d']);
  });
});

describe('why', () => {
  test('for a rollout names the rule that holds, and the pods behind each reason', () => {
    expect(renderWhy(whySidecarSet(failed, failed.at), plain)).toMatchInlineSnapshot(`
      "SidecarSet mesh: Failed TooManyFailures
        2 pods failed on mesh-744f494c77, 0 allowed; no more are begun: shop/shop-2: failed on this revision before: ImagePullFailed; shop/shop-4: failed on this revision before: ImagePullFailed

        ✔ the planner has seen this version
        ✔ updateStrategy.type lets running pods change
        ✔ updateStrategy.paused is not set
        ✔ the job queue can be reached
        ✔ nobody asked the rollout to stop
        ✖ no more pods failed than failurePolicy tolerates
            TooManyFailures: 2 pods failed on mesh-744f494c77, 0 allowed; no more are begun: shop/shop-2: failed on this revision before: ImagePullFailed; shop/shop-4: failed on this revision before: ImagePullFailed
        · the nodes have the new image
        · no canary step waits
        · maxUnavailable leaves room for another pod
        · partition and selector leave pods to upgrade
        · the remaining pods can be upgraded in place
        · every pod that carries the SidecarSet can be managed

        pods that are not done:
        2 TooManyFailures: More pods failed than failurePolicy.maxFailures allows, so no more are begun. (shop/shop-1, shop/shop-3)
        2 FailedBefore: This revision failed on this pod and was aborted; it is not begun again until a retry is asked for or the SidecarSet changes. (shop/shop-2, shop/shop-4)
      "
    `);
  });

  test('for a pod under way goes through the rules of finishing', () => {
    const view = whyPod(rolling, rolling.pods.find((pod) => pod.metadata.name === 'shop-2') as FullPod, rolling.at);
    expect(view.checks.filter(({ result }) => result === 'holds')).toEqual([
      expect.objectContaining({ reason: view.reason }),
    ]);
    expect(view.checks.map(({ rule }) => rule)).toContain('the old container is emptied');
  });

  test('for a pod that waits says what the whole rollout does', () => {
    const view = whyPod(failed, failed.pods.find((pod) => pod.metadata.name === 'shop-1') as FullPod, failed.at);
    expect(view).toMatchObject({ state: 'Idle', reason: 'AwaitingSelection' });
    expect(view.message).toContain('the rollout: Failed TooManyFailures');
  });

  test('has a rule for every reason that can hold a pod', () => {
    const settled = ['UpToDate', 'AllSidecarsetUpgradable'];
    const ofPods = Object.entries(REASONS).filter(
      ([reason, { shows }]) => (shows as readonly string[]).includes('pod') && !settled.includes(reason),
    );
    const unknown = ofPods.map(([reason]) => reason).filter((reason) => !reasonsOfPods().has(reason));
    expect(unknown).toEqual([]);
  });
});
