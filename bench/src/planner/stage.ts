import { type ClusterPort, injectedSidecarSets, type PhaseJobKeys, Planner } from '@sidestep/controller';
import { type ControllerRevision, type Pod, type ProjectedPod, podProjection, type SidecarSet } from '@sidestep/core';
import { objectKey, Store } from '@sidestep/kube';
import { Prototypes, type Step, setName } from './prototype.js';

/** The planner with its store of pods and nothing around it: watch events come as text, as they do from a connection. */
export class PlannerStage {
  readonly jobs: PhaseJobKeys[] = [];
  private readonly now = new Date();
  private readonly prototypes = new Prototypes(this.now);
  private readonly project = podProjection();
  private readonly pods = new Store<ProjectedPod>({ indexes: { sidecarSet: injectedSidecarSets } });
  private readonly sets = new Map<string, SidecarSet>();
  private readonly revisions: ControllerRevision[] = [];
  private readonly due = new Set<string>();
  private readonly planner: Planner;
  private version = 1;

  constructor(sets: number) {
    for (let index = 0; index < sets; index += 1)
      this.sets.set(setName(index), this.prototypes.sidecarSet(index, 'mesh:v1'));
    const none = async (): Promise<undefined> => undefined;
    this.planner = new Planner({
      cluster: { ...this.writes(), createPod: none, deletePod: none } as unknown as ClusterPort,
      cache: {
        sidecarSetNames: () => this.sets.keys(),
        sidecarSet: (name) => this.sets.get(name),
        podsOf: (name) => this.pods.by('sidecarSet', name),
        pullPods: () => [],
        revisionsOf: (name) =>
          this.revisions.filter(({ metadata }) => metadata.labels?.['kruise.io/sidecarset-name'] === name),
        namespaceLabels: () => ({}),
      },
      jobs: { enqueue: async (jobs) => void this.jobs.push(...jobs) },
      events: { onPod: () => undefined, onSidecarSet: () => undefined },
      clock: { now: () => this.now },
      namespace: 'kruise-system',
      epoch: 0,
      enqueue: (name) => this.due.add(name),
    });
    this.pods.subscribe((change) => {
      const previous = change.type === 'updated' ? change.previous : undefined;
      this.planner.podChanged(change.key, change.object, previous);
    });
  }

  /** The text of a pod's next event; made apart from what is measured. */
  eventText(set: number, pod: number, step: Step): string {
    this.version += 1;
    return this.prototypes.podText(set, pod, step, this.version);
  }

  /** As the reflector takes one line of a watch, or one item of a list. */
  take(text: string): void {
    const projected = this.project(JSON.parse(text) as Pod);
    this.pods.set(objectKey(projected.metadata), projected);
  }

  edit(set: number, image: string): void {
    const edited = this.prototypes.sidecarSet(set, image, 2);
    const { status } = this.sets.get(setName(set)) ?? {};
    this.sets.set(setName(set), status === undefined ? edited : { ...edited, status });
    this.due.add(setName(set));
  }

  /** Looks at every SidecarSet that something happened to. */
  async reconcile(): Promise<void> {
    const names = [...this.due];
    this.due.clear();
    for (const name of names) await this.planner.reconcile(name);
  }

  async reconcileAll(): Promise<void> {
    this.planner.reconcileAll();
    await this.reconcile();
  }

  updated(set: number): number {
    return this.planner.view().find(({ name }) => name === setName(set))?.status.updatedPods ?? 0;
  }

  private writes(): Partial<ClusterPort> {
    return {
      writeSidecarSetStatus: async (set, status) => {
        const resourceVersion = String(Number(set.metadata.resourceVersion) + 1);
        const object = { ...set, status, metadata: { ...set.metadata, resourceVersion } };
        this.sets.set(set.metadata.name ?? '', object);
        return { kind: 'written', object };
      },
      createRevision: async (revision) => {
        const stored = { ...revision, metadata: { ...revision.metadata, resourceVersion: '1' } };
        this.revisions.push(stored);
        return stored;
      },
      listRevisions: async () => this.revisions,
      patchPodStatus: async () => ({ kind: 'gone' }),
    };
  }
}
