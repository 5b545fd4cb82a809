/** Many simulated pods of one SidecarSet under a real ledger, with workers that run every job it hands out. */
import {
  type ControllerRevision,
  decidePodUpgrade,
  findUnpaid,
  podProjection,
  promotionOf,
  type RolloutDecision,
  RolloutLedger,
  rolloutTarget,
  SIDESTEP,
  type SidecarSet,
  upgradeTarget,
} from '../src/index.js';
import { storedSet, withImages, withStrategy } from './sidecarsets.js';
import { SimulatedPod } from './simulated-pod.js';

export class SimulatedRollout {
  readonly pods = new Map<string, SimulatedPod>();
  readonly revisions: ControllerRevision[] = [];
  ledger = new RolloutLedger();
  decision: RolloutDecision;
  set: SidecarSet;
  now = Date.parse('2026-03-01T11:00:00Z');
  /** Every Event, in order. */
  readonly events: string[] = [];
  /** Every Event that the planner told of a pod, as `pod container message`. */
  readonly podEvents: string[] = [];
  /** Pods that run two live sidecars, at the worst moment. */
  mostOpen = 0;
  private readonly project = podProjection();
  private version = 10_000;

  constructor(set: SidecarSet, count: number) {
    this.set = this.store(set);
    for (let i = 0; i < count; i += 1) this.addPod(`pod-${i}`);
    this.decision = this.look();
  }

  get clock(): Date {
    return new Date(this.now);
  }

  addPod(name: string): SimulatedPod {
    const pod = new SimulatedPod(this.set, name);
    pod.set = this.set;
    pod.now = this.now;
    this.pods.set(name, pod);
    return pod;
  }

  removePod(name: string): void {
    this.pods.delete(name);
    this.ledger.removePod(`shop/${name}`);
  }

  edit(change: (set: SidecarSet) => SidecarSet): this {
    this.set = this.store(change(this.set));
    return this;
  }

  image(images: Record<string, string>): this {
    return this.edit((set) => withImages(set, images));
  }

  strategy(strategy: SidecarSet['spec']['updateStrategy']): this {
    return this.edit((set) => withStrategy(set, strategy));
  }

  annotate(key: string, value: string): this {
    return this.edit((set) => ({
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [key]: value } },
    }));
  }

  /** Ends the pause of a canary step (from 0), as the CLI does it. */
  promote(step: number | 'all'): this {
    return this.annotate(SIDESTEP.promote, promotionOf(this.decision.status, step) ?? '');
  }

  /** Another planner takes over: it knows only what is stored. */
  replacePlanner(): this {
    this.ledger = new RolloutLedger();
    return this;
  }

  /** Feeds the ledger all that changed, asks it, and stores the status. */
  look(): RolloutDecision {
    const { set, revisions } = this;
    const subject = () => ({ sidecarSet: this.set, revisions, latestRevision: set.status?.latestRevision ?? '' });
    this.ledger.setSubject(subject(), this.clock);
    for (const pod of this.pods.values()) this.ledger.applyPod(this.project(pod.pod), this.clock);
    this.decision = this.ledger.decide(this.clock);
    this.set = { ...this.set, status: this.decision.status };
    this.events.push(...this.decision.events.map(({ reason }) => reason));
    for (const { pod, event } of this.decision.podEvents)
      this.podEvents.push(`${pod} ${event.container} ${event.message}`);
    return this.decision;
  }

  /** Workers run every job; a job that is not due any more is dropped. */
  work(jobs = this.decision.jobs): this {
    for (const job of jobs) {
      const pod = this.pods.get(job.pod);
      if (pod === undefined) continue;
      const target = upgradeTarget(rolloutTarget(this.set, this.revisions), this.revisions);
      const decision = decidePodUpgrade({ target, pod: pod.pod as never, now: this.clock });
      const mayBegin = job.phase !== 'upgrade' || findUnpaid(target, pod.pod as never, job.pickedUnready) === undefined;
      if (decision.due === job.phase && decision.patch !== undefined && mayBegin) pod.write(decision);
    }
    this.mostOpen = Math.max(this.mostOpen, this.open());
    return this;
  }

  /** Every kubelet acts and reports. */
  kubelets(seconds = 2): this {
    this.wait(seconds);
    for (const pod of this.pods.values()) pod.kubelet();
    return this;
  }

  wait(seconds: number): this {
    this.now += seconds * 1_000;
    for (const pod of this.pods.values()) pod.now = this.now;
    return this;
  }

  /** Look, work, kubelets, until nothing is due any more. */
  run(rounds = 200): this {
    for (let i = 0; i < rounds; i += 1) {
      const { jobs, requeueAfterMs } = this.look();
      if (jobs.length > 0) this.work().kubelets();
      else if (this.isMoving()) this.kubelets();
      else if (requeueAfterMs !== undefined) this.wait(requeueAfterMs / 1_000);
      else return this;
    }
    throw new Error(`not at rest after ${rounds} rounds: ${JSON.stringify(this.decision.status.conditions)}`);
  }

  condition(type: string): string {
    const condition = this.decision.status.conditions?.find((each) => each.type === type);
    return `${condition?.status} ${condition?.reason}`;
  }

  message(type: string): string {
    return this.decision.status.conditions?.find((each) => each.type === type)?.message ?? '';
  }

  /** How many pods work with this image. */
  on(image: string): number {
    return [...this.pods.values()].filter((pod) => pod.running(pod.pointer()) === image).length;
  }

  private open(): number {
    const isEmpty = (image: string) => image.includes('empty');
    return [...this.pods.values()].filter((pod) => {
      const { 'mesh-1': first = 'empty', 'mesh-2': second = 'empty' } = pod.images();
      return !isEmpty(first) && !isEmpty(second);
    }).length;
  }

  private isMoving(): boolean {
    const summaries = [...this.pods.keys()].map((name) => this.ledger.summaryOf(`shop/${name}`));
    return summaries.some((pod) => (pod?.matched || pod?.apart) && pod.inFlight && pod.state !== 'Failed');
  }

  private store(set: SidecarSet): SidecarSet {
    this.version += 1;
    const stored = storedSet(set, this.version);
    const name = stored.status?.latestRevision ?? '';
    if (!this.revisions.some((revision) => revision.metadata.name === name)) {
      const annotations = stored.metadata.annotations ?? {};
      this.revisions.push({
        metadata: { name, annotations },
        data: { spec: { ...stored.spec } },
        revision: this.version,
      });
    }
    return stored;
  }
}
