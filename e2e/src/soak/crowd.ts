import { KRUISE, type Pod, type SidecarSet } from '@sidestep/core';
import { isNotFound, type KubeObject } from '@sidestep/kube';
import { aPod, aSidecarSet } from '@sidestep/testkit';
import { PodHistory } from '../matrix/pod-history.js';
import { ordered } from '../platform/ordered.js';
import { until } from '../platform/service.js';
import { PODS, SIDECARSETS } from '../world/resources.js';
import { EMPTY_IMAGE } from '../world/scenario.js';
import type { World } from '../world/world.js';

const CONTAINER = 'mesh';
const NODES = 10;
const CREATORS = 16;
/** Against a wait without end, not against a slow machine. */
const DEADLINE_MS = 600_000;

/** One SidecarSet and its pods, in a namespace of their own. */
export class Crowd {
  readonly history: PodHistory;
  /** Images that the SidecarSet had, the newest last. */
  readonly images: string[] = ['mesh:v1'];
  private created = 0;

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly size: number,
    budget: number,
  ) {
    this.history = new PodHistory(CONTAINER, budget);
    this.budget = budget;
  }

  private readonly budget: number;

  /** Creates both, and looks at every version of its pods from then on. */
  async start(): Promise<void> {
    const { world, name } = this;
    await world.createNamespace(name);
    const strategy = { maxUnavailable: this.budget, failurePolicy: { maxFailures: 2, podAction: 'Abort' } };
    const set = aSidecarSet(name)
      .selecting({ app: name })
      .withUpdateStrategy(strategy)
      .withHotSidecar(CONTAINER, 'mesh:v1', EMPTY_IMAGE);
    await world.createSet(set.build() as unknown as SidecarSet);
    await until(() => this.isInjected(), `the webhook to know ${name}`);
    let left = this.size;
    const create = async (): Promise<void> => {
      while (left-- > 0) await this.addPod();
    };
    await Promise.all(Array.from({ length: CREATORS }, create));
    world.watchPods(name, this.history);
    await this.everyPodRuns('mesh:v1');
  }

  get pods(): Pod[] {
    return this.world.podsOf(this.name);
  }

  get set(): SidecarSet {
    return this.world.set(this.name);
  }

  async addPod(): Promise<void> {
    this.created += 1;
    const pod = this.pod(this.created);
    await ordered(() => this.world.platform.api.create(PODS, pod));
  }

  /** Another one comes in its place, unless it was replaced already: after a cut watch the pod in hand may be long gone. */
  async replacePod(pod: Pod): Promise<void> {
    const ref = { namespace: this.name, name: pod.metadata.name ?? '' };
    const isGone = await this.world.platform.api.delete(PODS, ref, { gracePeriodSeconds: 0 }).then(
      () => true,
      (error: unknown) => {
        if (!isNotFound(error)) throw error;
        return false;
      },
    );
    if (isGone) await this.addPod();
  }

  async setImage(image: string): Promise<void> {
    this.images.push(image);
    await this.patch([{ op: 'replace', path: '/spec/containers/0/image', value: image }]);
  }

  async setStrategy(field: 'paused' | 'partition', value: unknown): Promise<void> {
    await this.patch([{ op: 'add', path: `/spec/updateStrategy/${field}`, value }]);
  }

  async annotate(key: string, value: string | null): Promise<void> {
    const patch = { metadata: { annotations: { [key]: value } } };
    await ordered(() => this.world.platform.api.patch(SIDECARSETS, { name: this.name }, patch, { type: 'merge' }));
  }

  /** Every pod runs the image beside an empty half, and the SidecarSet says that it is complete. */
  everyPodRuns(image: string): Promise<true> {
    return until(
      () => (this.isDone(image) ? true : undefined),
      `every pod of ${this.name} to run ${image}`,
      DEADLINE_MS,
    ).catch((error: Error) => {
      const { pods, set } = this;
      const other = pods.filter((pod) => !runs(pod, image)).slice(0, 2);
      throw new Error(`${error.message}; status ${JSON.stringify(set.status)}; ${JSON.stringify(other)}`);
    });
  }

  private isDone(image: string): boolean {
    const { pods, set } = this;
    const { status } = set;
    const said = status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
    return (
      pods.length === this.size &&
      pods.every((pod) => runs(pod, image)) &&
      said === 'RolloutComplete' &&
      status?.observedGeneration === set.metadata.generation &&
      status?.updatedReadyPods === this.size &&
      status?.upgradingPods === 0 &&
      status?.failedPods === 0
    );
  }

  private async patch(patch: readonly object[]): Promise<void> {
    await this.world.patchSet(this.name, patch);
  }

  private pod(index: number) {
    return aPod(`web-${index}`)
      .inNamespace(this.name)
      .labelled({ app: this.name })
      .onNode(`instant-${index % NODES}`)
      .build();
  }

  private async isInjected(): Promise<true | undefined> {
    const made = await this.world.platform.api.create<KubeObject & Pod>(PODS, this.pod(0) as KubeObject & Pod, {
      dryRun: true,
    });
    return made.spec.containers.length > 1 ? true : undefined;
  }
}

const runs = ({ metadata, spec }: Pod, image: string): boolean => {
  const working = (JSON.parse(metadata.annotations?.[KRUISE.workingHotContainer] ?? '{}') as Record<string, string>)[
    CONTAINER
  ];
  const pair = spec.containers.filter(({ name }) => name.startsWith(`${CONTAINER}-`));
  // The kubelet's back-off is avoided by a tag per generation, so only the digest tells an empty image.
  const isEmpty = (each: string | undefined): boolean =>
    each?.endsWith(EMPTY_IMAGE.slice(EMPTY_IMAGE.indexOf('@'))) ?? false;
  return pair.every((each) => (each.name === working ? each.image === image : isEmpty(each.image)));
};
