import { type FullPod, KRUISE, SIDESTEP, type SidecarSet } from '@sidestep/core';
import { PhaseRunner } from '../phase-runner.js';
import type { PhaseJobKeys } from '../ports.js';
import { TargetSource } from '../target-source.js';
import { imagesOf } from './memory-cluster.js';
import { acknowledged, aPod, aSidecarSet, withImage, withStrategy } from './objects.js';
import { hastyClock, World } from './world.js';

/** One thing that happens in the world; `pick` chooses among jobs, pods or images. */
export interface Happening {
  kind:
    | 'run'
    | 'run-twice'
    | 'run-old'
    | 'lose'
    | 'lose-all'
    | 'kubelet'
    | 'kubelet-fails'
    | 'app-unready'
    | 'news'
    | 'edit'
    | 'partition'
    | 'touch'
    | 'planner-dies'
    | 'worker-dies-after-write'
    | 'time';
  pick: number;
}

export const PODS = 4;
const IMAGES = ['mesh:v1', 'mesh:v2'];
export const MAX_UNAVAILABLE = 1;

/** Four pods of a hot SidecarSet, a planner and workers, to which anything may happen. */
export class Trial {
  readonly world = new World();
  private readonly runner: PhaseRunner;
  private readonly history: PhaseJobKeys[] = [];
  /** Pods that were begun although the partition keeps as many as are left. */
  readonly begunInVain: string[] = [];
  /** Of each pod that was begun: whether it was ready then, and so takes of the budget. */
  private readonly begunReady = new Map<string, boolean>();

  constructor() {
    const { world } = this;
    const clock = hastyClock(() => world.now);
    const events = { onPod: () => undefined, onSidecarSet: () => undefined };
    const targets = new TargetSource(() => world.cluster, clock);
    world.cluster.beforePodWrite = ({ name }) => {
      const pod = world.cluster.pod(name);
      if (!isOpen(pod)) this.begunReady.set(name, isReady(pod));
    };
    this.runner = new PhaseRunner({ cluster: world.cluster, targets, events, clock });
  }

  async begin(): Promise<void> {
    const set = aSidecarSet('mesh:v1', {
      updateStrategy: { maxUnavailable: MAX_UNAVAILABLE, failurePolicy: { maxFailures: PODS } },
    });
    this.world.cluster.put(this.world.cluster.sidecarSets, set);
    const created = new Date(this.world.now.getTime() - 3_600_000);
    for (let index = 0; index < PODS; index += 1) this.world.cluster.putPod(aPod(`web-${index}`, [set], created));
    await this.world.settle();
  }

  async happen({ kind, pick }: Happening): Promise<void> {
    const { world } = this;
    switch (kind) {
      case 'run':
        await this.run(this.take(pick));
        break;
      case 'run-twice': {
        const job = this.take(pick);
        await Promise.all([this.run(job), this.run(job)]);
        break;
      }
      case 'run-old':
        await this.run(this.history[pick % Math.max(1, this.history.length)]);
        break;
      case 'lose':
        this.take(pick);
        break;
      case 'lose-all':
        world.jobs.asked.length = 0;
        world.planner.queueChanged({ available: true, filled: false });
        break;
      case 'kubelet':
        this.kubelet(pick, []);
        break;
      case 'kubelet-fails':
        this.kubelet(pick, this.newContainers(pick));
        break;
      case 'app-unready':
        this.kubelet(pick, ['app']);
        break;
      case 'news':
        world.watch();
        await world.reconcile();
        break;
      case 'edit':
        this.edit(IMAGES[pick % IMAGES.length] as string);
        break;
      case 'partition':
        this.setPartition((pick % 2) * PODS);
        break;
      case 'touch':
        world.change(podName(pick), (pod) => ({
          ...pod,
          metadata: { ...pod.metadata, labels: { app: 'shop', touched: String(pick) } },
        }));
        break;
      case 'planner-dies':
        world.startPlanner((world.cluster.epoch ?? 0) + 1);
        world.planner.reconcileAll();
        break;
      case 'worker-dies-after-write':
        await this.run(this.take(pick), false);
        break;
      case 'time':
        world.later(pick * 100);
        break;
    }
    this.world.later(1_000);
  }

  /** No more faults: kubelet, watch, queue and workers do their work until nothing is left to do. */
  async calm(): Promise<void> {
    const { world } = this;
    const { metadata, ...rest } = this.wanted();
    // A pod that failed on this revision and was aborted stays where it is until somebody says retry.
    const annotations = { ...metadata.annotations, [SIDESTEP.retry]: 'now' };
    world.cluster.put(world.cluster.sidecarSets, { ...rest, metadata: { ...metadata, annotations } });
    this.setPartition(0);
    for (let round = 0; round < 60; round += 1) {
      for (let index = 0; index < PODS; index += 1) this.kubelet(index, []);
      world.planner.reconcileAll();
      await world.settle();
      if (world.jobs.asked.length === 0 && this.isDone()) return;
      for (let left = world.jobs.asked.length; left > 0; left -= 1) await this.run(this.take(0));
      world.later(10_000);
    }
  }

  isDone(): boolean {
    return (
      this.world.cluster.sidecarSets
        .get('mesh-set')
        ?.status?.conditions?.some(({ reason }) => reason === 'RolloutComplete') ?? false
    );
  }

  /** Ready pods that were given two live sidecars; never more than the budget, whatever happened. */
  open(): number {
    const open = [...this.world.cluster.pods.values()].filter(isOpen);
    return open.filter(({ metadata }) => this.begunReady.get(metadata.name ?? '')).length;
  }

  wanted(): SidecarSet {
    return this.world.cluster.sidecarSets.get('mesh-set') as SidecarSet;
  }

  private take(pick: number): PhaseJobKeys | undefined {
    const { asked } = this.world.jobs;
    const [taken] = asked.splice(pick % Math.max(1, asked.length), 1);
    if (taken !== undefined) this.history.push(taken.job);
    return taken?.job;
  }

  private async run(job: PhaseJobKeys | undefined, finishes = true): Promise<void> {
    if (job === undefined) return;
    const stale = this.stale();
    const outcome = await this.runner.run(job, new AbortController().signal);
    const kept = Number(this.wanted().spec.updateStrategy?.partition ?? 0);
    if (job.phase === 'upgrade' && outcome.result === 'wrote' && stale <= kept) this.begunInVain.push(job.pod);
    if (!finishes) return;
    if (outcome.kind === 'not-yet') await this.world.jobs.enqueue([job]);
    else if (outcome.next !== undefined) await this.world.jobs.enqueue([outcome.next]);
  }

  private kubelet(pick: number, notReady: readonly string[]): void {
    this.world.change(podName(pick), (pod) => acknowledged(pod, this.world.now, notReady));
  }

  /** The containers of a pod that the kubelet has not started with their present image yet. */
  private newContainers(pick: number): string[] {
    const pod = this.world.cluster.pod(podName(pick));
    return pod.spec.containers
      .filter(
        ({ name, image }) => pod.status?.containerStatuses?.find((status) => status.name === name)?.image !== image,
      )
      .map(({ name }) => name);
  }

  private setPartition(partition: number): void {
    const { cluster } = this.world;
    cluster.put(cluster.sidecarSets, withStrategy(this.wanted(), { partition }));
  }

  private stale(): number {
    const hash = this.wanted().metadata.annotations?.[KRUISE.hash] ?? '';
    const pods = [...this.world.cluster.pods.values()];
    return pods.filter((pod) => !pod.metadata.annotations?.[KRUISE.hash]?.includes(hash)).length;
  }

  private edit(image: string): void {
    const { cluster } = this.world;
    cluster.put(cluster.sidecarSets, withImage(this.wanted(), image));
  }
}

const isOpen = (pod: FullPod): boolean => !imagesOf(pod).includes('empty:v1');

const isReady = ({ status }: FullPod): boolean =>
  status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;

const podName = (pick: number): string => `web-${pick % PODS}`;
