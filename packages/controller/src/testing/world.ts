import {
  type ControllerRevision,
  type FullPod,
  type Pod,
  type ProjectedPod,
  projectPod,
  pullRequestOf,
  type SidecarSet,
} from '@sidestep/core';
import { injectedSidecarSets } from '../membership.js';
import { Planner } from '../planner.js';
import type { PlannerCache } from '../planner-cache.js';
import type { AlarmClock, JobOptions, JobPort, PhaseJobKeys } from '../ports.js';
import { MemoryCluster } from './memory-cluster.js';

/** A clock whose alarms ring at once: whoever waits goes on in the same moment. */
export const hastyClock = (now: () => Date): AlarmClock => ({
  now,
  after: (_ms, run) => {
    run();
    return () => undefined;
  },
});

const idOf = ({ uid, sidecarSet, revision, phase, attempt }: PhaseJobKeys): string =>
  [uid, sidecarSet, revision, phase, attempt].join('.');

/** A queue that has each id once, as it was asked for last, and can refuse. */
export class MemoryJobs implements JobPort {
  readonly asked: { job: PhaseJobKeys; options: JobOptions }[] = [];
  available = true;

  async enqueue(jobs: readonly PhaseJobKeys[], options: JobOptions = {}): Promise<void> {
    if (!this.available) throw Object.assign(new Error('refused'), { code: 'QUEUE_UNAVAILABLE', retry: 'backoff' });
    for (const job of jobs) {
      const waiting = this.asked.find((entry) => idOf(entry.job) === idOf(job));
      if (waiting === undefined) this.asked.push({ job, options });
      else waiting.job = job;
    }
  }

  /** What was asked for since the last look, as `phase pod`. */
  take(): string[] {
    return this.asked.splice(0).map(({ job }) => `${job.phase} ${job.pod}`);
  }
}

/** The planner's caches: copies of the cluster that are as old as the test wants them to be. */
export class MemoryCache implements PlannerCache {
  readonly sidecarSets = new Map<string, SidecarSet>();
  readonly pods = new Map<string, ProjectedPod>();
  revisions: ControllerRevision[] = [];
  readonly namespaces = new Map<string, Record<string, string>>();

  sidecarSetNames(): Iterable<string> {
    return this.sidecarSets.keys();
  }

  sidecarSet(name: string): SidecarSet | undefined {
    return this.sidecarSets.get(name);
  }

  podsOf(sidecarSet: string): Iterable<ProjectedPod> {
    return [...this.pods.values()].filter((pod) => injectedSidecarSets(pod).includes(sidecarSet));
  }

  pulls: Pod[] = [];

  pullPods(): Iterable<Pod> {
    return this.pulls;
  }

  revisionsOf(sidecarSet: string): ControllerRevision[] {
    return this.revisions.filter(({ metadata }) => metadata.labels?.['kruise.io/sidecarset-name'] === sidecarSet);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.namespaces.get(namespace);
  }
}

/** A cluster, a planner, and a watch between them that brings news only when it is told to. */
export class World {
  now = new Date('2026-01-01T01:00:00Z');
  readonly cluster = new MemoryCluster();
  readonly cache = new MemoryCache();
  readonly jobs = new MemoryJobs();
  readonly events: string[] = [];
  readonly due = new Set<string>();
  planner = this.startPlanner(1);

  /** A planner that knows nothing but the cluster, as after a restart. */
  startPlanner(epoch: number): Planner {
    this.due.clear();
    this.cluster.epoch = epoch;
    this.planner = new Planner({
      cluster: this.cluster,
      cache: this.cache,
      jobs: this.jobs,
      events: {
        onPod: (pod, event) => this.events.push(`${event.type} ${pod.metadata.name} ${event.reason}`),
        onSidecarSet: (set, event) => this.events.push(`${event.type} ${set.metadata.name} ${event.reason}`),
      },
      clock: { now: () => this.now },
      namespace: 'kruise-system',
      epoch,
      enqueue: (name) => this.due.add(name),
    });
    return this.planner;
  }

  /** Brings the caches up to date and tells the planner of every difference, as reflectors do. */
  watch(): void {
    for (const name of new Set([...this.cluster.sidecarSets.keys(), ...this.cache.sidecarSets.keys()])) {
      const set = this.cluster.sidecarSets.get(name);
      if (set === this.cache.sidecarSets.get(name)) continue;
      if (set === undefined) this.cache.sidecarSets.delete(name);
      else this.cache.sidecarSets.set(name, set);
      this.planner.sidecarSetChanged(name);
    }
    const pulls = [...this.cluster.pods.values()].filter((pod) => pullRequestOf(pod) !== undefined);
    if (pulls.some((pod) => !this.cache.pulls.includes(pod)) || pulls.length !== this.cache.pulls.length) {
      this.cache.pulls = pulls;
      this.planner.pullPodChanged();
    }
    this.cache.revisions = [...this.cluster.revisions.values()];
    for (const key of new Set([...this.cluster.pods.keys(), ...this.cache.pods.keys()])) this.watchPod(key);
  }

  /** Reconciles everything that is due, with the watch bringing news in between, until nothing is. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 50; rounds += 1) {
      this.watch();
      if (this.due.size === 0) return;
      await this.reconcile();
    }
    throw new Error('the planner does not come to rest');
  }

  /** One reconcile of everything that is due, without news in between. */
  async reconcile(): Promise<void> {
    const names = [...this.due];
    this.due.clear();
    for (const name of names) await this.planner.reconcile(name);
  }

  later(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  change(name: string, edit: (pod: FullPod) => FullPod): void {
    this.cluster.putPod(edit(this.cluster.pod(name)));
  }

  private watchPod(key: string): void {
    const pod = this.cluster.pods.get(key);
    const previous = this.cache.pods.get(key);
    if (pod?.metadata.resourceVersion === previous?.metadata.resourceVersion) return;
    const projected = pod === undefined ? undefined : projectPod(pod);
    if (projected === undefined) this.cache.pods.delete(key);
    else this.cache.pods.set(key, projected);
    this.planner.podChanged(key, projected, previous);
  }
}
