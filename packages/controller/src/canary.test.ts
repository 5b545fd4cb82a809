import { expect, test } from '@jest/globals';
import { promotionOf, SIDESTEP, type SidecarSet, type UpdateStrategy } from '@sidestep/core';
import { PhaseRunner } from './phase-runner.js';
import { TargetSource } from './target-source.js';
import { imagesOf } from './testing/memory-cluster.js';
import { acknowledged, aPod, aSidecarSet, withImage, withStrategy } from './testing/objects.js';
import { hastyClock, World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');
const manual = (...pods: number[]) => pods.map((each) => ({ pods: each, pause: {} }));

/** A planner, a worker and kubelets on one clock; images in `bad` never become ready. */
class Journey {
  readonly world = new World();
  readonly bad = new Set<string>();

  async begin(pods: number, updateStrategy: UpdateStrategy): Promise<void> {
    const v1 = aSidecarSet('mesh:v1', { updateStrategy });
    this.world.cluster.put(this.world.cluster.sidecarSets, v1);
    for (let i = 0; i < pods; i += 1) this.world.cluster.putPod(aPod(`web-${i}`, [v1], CREATED));
    await this.world.settle();
    await this.edit((set) => withImage(set, 'mesh:v2'));
  }

  get set(): SidecarSet {
    return this.world.cluster.sidecarSets.get('mesh-set') as SidecarSet;
  }

  async edit(change: (set: SidecarSet) => SidecarSet): Promise<void> {
    this.world.cluster.put(this.world.cluster.sidecarSets, change(this.set));
    await this.work();
  }

  annotate(key: string, value: string): Promise<void> {
    return this.edit((set) => ({
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [key]: value } },
    }));
  }

  promote(step: number): Promise<void> {
    return this.annotate(SIDESTEP.promote, promotionOf(this.set.status ?? ({} as never), step) ?? '');
  }

  /** Until nothing is asked for any more. */
  async work(): Promise<void> {
    const { world } = this;
    const clock = hastyClock(() => world.now);
    const targets = new TargetSource(() => world.cluster, clock);
    const events = { onPod: () => undefined, onSidecarSet: () => undefined };
    const runner = new PhaseRunner({ cluster: world.cluster, targets, events, clock });
    for (let quiet = 0; quiet < 4; quiet += 1) {
      await world.settle();
      for (const { job } of world.jobs.asked.splice(0)) {
        quiet = 0;
        await runner.run(job, new AbortController().signal);
        world.later(1_000);
        this.acknowledge(job.pod);
      }
      world.later(1_500);
      world.planner.reconcileAll();
    }
  }

  private acknowledge(name: string): void {
    const { containers } = this.world.cluster.pod(name).spec;
    const unwell = containers.filter(({ image }) => this.bad.has(image ?? '')).map((container) => container.name);
    this.world.change(name, (pod) => acknowledged(pod, this.world.now, unwell));
  }

  on(image: string): number {
    return [...this.world.cluster.pods.values()].filter((pod) => imagesOf(pod).includes(image)).length;
  }

  reason(type: string): string | undefined {
    return this.set.status?.conditions?.find((condition) => condition.type === type)?.reason;
  }
}

test('steps that are edited while the rollout waits at the last one hold it at the new one, with the next planner, too', async () => {
  const journey = new Journey();
  await journey.begin(10, { maxUnavailable: 3, steps: manual(1, 2) });
  await journey.promote(0);
  expect(journey.on('v2')).toBe(2);
  await journey.edit((set) => withStrategy(set, { steps: manual(4) }));
  expect(journey.on('v2')).toBe(4);
  expect(journey.reason('Paused')).toBe('StepPause');
  journey.world.startPlanner(2);
  await journey.work();
  expect(journey.on('v2')).toBe(4);
  await journey.promote(0);
  expect(journey.on('v2')).toBe(10);
});

test('what was promoted before a rollback does not let the retry past a step', async () => {
  const journey = new Journey();
  const failurePolicy = { maxFailures: 0, action: 'Rollback', podAction: 'Abort' } as const;
  await journey.begin(6, { maxUnavailable: 1, progressDeadlineSeconds: 5, failurePolicy, steps: manual(1, 2) });
  await journey.promote(0);
  journey.bad.add('mesh:v2');
  await journey.promote(1);
  journey.world.later(10_000);
  await journey.work();
  expect(journey.reason('Degraded')).toBe('RolledBack');
  expect(journey.on('v2')).toBe(0);
  journey.bad.clear();
  journey.world.startPlanner(2);
  journey.world.later(3_600_000);
  await journey.annotate(SIDESTEP.retry, 'again');
  expect(journey.on('v2')).toBe(1);
  expect(journey.reason('Paused')).toBe('StepPause');
});
