/** A pod with a kubelet of its own, in memory and on a clock that only the test moves. */
import {
  applyJsonPatch,
  type Container,
  type ContainerStatus,
  decidePodUpgrade,
  hotPairNames,
  isHotUpgrade,
  KRUISE,
  type Pod,
  type PodUpgradeDecision,
  type SidecarSet,
  type UpgradePhase,
  upgradeTarget,
} from '../src/index.js';
import { KubeletBackOff } from './kubelet-back-off.js';
import { imageIdOf, injectedPod, storedSet, withImages, withStrategy } from './sidecarsets.js';

/** What becomes of a container that runs an image; told by words in the image's name. */
type Fate = 'good' | 'nopull' | 'crash' | 'hookfails' | 'unready' | 'slow';
const fateOf = (image: string): Fate => (/(nopull|crash|hookfails|unready|slow)/.exec(image)?.[0] as Fate) ?? 'good';

interface Process {
  image: string;
  id: string;
  startedAt: number;
  /** Its postStart hook has returned. */
  hooked: boolean;
}

class Slot {
  process: Process | undefined;
  /** The container created last, which the status shows until there is a next one. */
  last: Process | undefined;
  restarts = 0;
  ids = 0;
  /** Why nothing runs. */
  waiting: string | undefined;
  /** Ends of earlier processes that the kubelet knows of, newest last. */
  ends: number[] = [];
  ready = false;
}

const START = Date.parse('2026-03-01T10:00:00Z');

export class SimulatedPod {
  pod: Pod;
  set: SidecarSet;
  now = START;
  private resourceVersion = 100;
  private readonly slots = new Map<string, Slot>();
  private readonly backOff = new KubeletBackOff();
  /** Base name of a hot sidecar to the container that holds its sockets. */
  readonly owners = new Map<string, string>();
  /** Images that crash, whatever their name says. */
  readonly failing = new Set<string>();
  private readonly fateOf = (image: string): Fate => (this.failing.has(image) ? 'crash' : fateOf(image));
  /** The app container can be made unready. */
  readonly unready = new Set<string>();

  constructor(set: SidecarSet, name = 'pod-0') {
    this.set = storedSet(set, this.nextVersion());
    this.pod = injectedPod(this.set, name, String(this.nextVersion()));
    for (const { name: container } of this.pod.spec.containers) this.slots.set(container, new Slot());
    this.kubelet();
  }

  get clock(): Date {
    return new Date(this.now);
  }

  wait(seconds: number): this {
    this.now += seconds * 1_000;
    return this;
  }

  /** The user edits the SidecarSet. */
  edit(change: (set: SidecarSet) => SidecarSet): this {
    this.set = storedSet(change(this.set), this.nextVersion());
    return this;
  }

  image(images: Record<string, string>): this {
    return this.edit((set) => withImages(set, images));
  }

  strategy(strategy: SidecarSet['spec']['updateStrategy']): this {
    return this.edit((set) => withStrategy(set, strategy));
  }

  look(): PodUpgradeDecision {
    return decidePodUpgrade({ target: upgradeTarget(this.set), pod: this.pod, now: this.clock });
  }

  /** Does the write that is due, which must be the given phase. */
  run(phase: UpgradePhase): PodUpgradeDecision {
    const decision = this.look();
    if (decision.due !== phase) throw new Error(`${phase} is not due but ${decision.due}: ${decision.reason}`);
    this.write(decision);
    return decision;
  }

  write(decision: PodUpgradeDecision): void {
    if (decision.patch === undefined) throw new Error(`nothing to write: ${decision.reason}`);
    this.pod = applyJsonPatch(this.pod, decision.patch);
    this.pod.metadata = { ...this.pod.metadata, resourceVersion: String(this.nextVersion()) };
  }

  /** The kubelet acts on the spec and reports at once. */
  kubelet(): this {
    this.act();
    return this.report();
  }

  /** The kubelet brings containers in line with the spec; the API server does not hear of it yet. */
  act(): this {
    for (const container of this.pod.spec.containers) this.sync(container);
    return this;
  }

  /** The kubelet writes the pod's status. */
  report(): this {
    const statuses = this.pod.spec.containers.map(({ name }) => this.statusOf(name));
    const ready = statuses.every((status) => status.ready) ? 'True' : 'False';
    const old = this.pod.status?.conditions?.find((condition) => condition.type === 'Ready');
    const since = old?.status === ready ? old.lastTransitionTime : undefined;
    const others = this.pod.status?.conditions?.filter((condition) => condition.type !== 'Ready') ?? [];
    const condition = { type: 'Ready', status: ready, lastTransitionTime: since ?? this.clock.toISOString() };
    this.pod = {
      ...this.pod,
      metadata: { ...this.pod.metadata, resourceVersion: String(this.nextVersion()) },
      status: { phase: 'Running', conditions: [...others, condition], containerStatuses: statuses },
    };
    return this;
  }

  /** The process of a container ends by itself; the kubelet starts it again. */
  crash(name: string): this {
    this.end(name);
    return this.kubelet();
  }

  /** A slow image is up after all. */
  finish(name: string): this {
    const slot = this.slot(name);
    if (slot.process !== undefined) this.takeOver(name, slot);
    slot.ready = slot.process !== undefined;
    return this.report();
  }

  /** The API server knows that this very process is up and Ready. */
  isKnownReady(name: string): boolean {
    const status = this.pod.status?.containerStatuses?.find((each) => each.name === name);
    const { process } = this.slot(name);
    return process !== undefined && status?.ready === true && status.containerID === process.id;
  }

  running(name: string): string | undefined {
    return this.slot(name).process?.image;
  }

  images(): Record<string, string> {
    return Object.fromEntries(this.pod.spec.containers.map(({ name, image }) => [name, image ?? '']));
  }

  annotation(key: string): string | undefined {
    return this.pod.metadata.annotations?.[key];
  }

  pointer(base = 'mesh'): string {
    return JSON.parse(this.annotation(KRUISE.workingHotContainer) ?? '{}')[base];
  }

  stamp(): { hash: string; controllerRevision?: string } {
    return JSON.parse(this.annotation(KRUISE.hash) ?? '{}')[this.set.metadata.name ?? ''];
  }

  get targetHash(): string {
    return this.set.metadata.annotations?.[KRUISE.hash] ?? '';
  }

  isReady(): boolean {
    return this.pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
  }

  restartsOf(name: string): number {
    return this.slot(name).restarts;
  }

  private nextVersion(): number {
    this.resourceVersion += 1;
    return this.resourceVersion;
  }

  private slot(name: string): Slot {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new Error(`no container ${name}`);
    return slot;
  }

  private sync({ name, image = '' }: Container): void {
    const slot = this.slot(name);
    if (slot.process?.image === image) return;
    // As a kubelet: the end of what is killed now is not known yet when the back-off is asked for the first time.
    const known = slot.ends.at(-1);
    if (slot.process !== undefined) this.end(name);
    slot.ready = false;
    if (this.backOff.holds(`${name} ${image}`, known, this.now)) {
      slot.waiting = 'CrashLoopBackOff';
      return;
    }
    if (this.fateOf(image) === 'nopull') {
      slot.waiting = 'ErrImagePull';
      return;
    }
    this.start(name, image, known !== undefined);
  }

  private start(name: string, image: string, counts: boolean): void {
    const slot = this.slot(name);
    const fate = this.fateOf(image);
    if (counts) this.backOff.count(`${name} ${image}`, this.now);
    if (slot.ids > 0) slot.restarts += 1;
    slot.ids += 1;
    slot.waiting = undefined;
    slot.process = {
      image,
      id: `containerd://${name}-${slot.ids}`.padEnd(77, '0'),
      startedAt: this.now,
      hooked: false,
    };
    slot.last = slot.process;
    if (fate === 'crash' || fate === 'hookfails') {
      this.end(name);
      slot.waiting = fate === 'crash' ? 'CrashLoopBackOff' : 'PostStartHookError';
      return;
    }
    if (fate === 'slow') return;
    this.takeOver(name, slot);
    slot.ready = fate !== 'unready';
  }

  /** A hot container whose hook has returned holds the sockets, unless it runs the empty image. */
  private takeOver(name: string, slot: Slot): void {
    if (slot.process === undefined) return;
    slot.process.hooked = true;
    const sidecar = this.hotOf(name);
    if (sidecar === undefined || slot.process.image.includes('empty')) return;
    const version = Number(this.annotation(`${KRUISE.versionPrefix}${name}`) ?? 0);
    const peer = Number(this.annotation(`${KRUISE.versionAltPrefix}${name}`) ?? 0);
    const owner = this.owners.get(sidecar);
    if (owner === undefined || version > peer || !this.slots.get(owner)?.process) this.owners.set(sidecar, name);
  }

  private hotOf(name: string): string | undefined {
    const hot = (this.set.spec.containers ?? []).filter(isHotUpgrade);
    return hot.find((container) => hotPairNames(container.name).includes(name))?.name;
  }

  private end(name: string): void {
    const slot = this.slot(name);
    if (slot.process === undefined) return;
    slot.process = undefined;
    slot.ready = false;
    slot.ends.push(this.now);
    for (const [sidecar, owner] of this.owners) {
      if (owner !== name) continue;
      // The old one keeps its listening sockets while it guards the new one.
      const peer = hotPairNames(sidecar).find((other) => other !== name) ?? '';
      const process = this.slots.get(peer)?.process;
      if (process !== undefined && !process.image.includes('empty') && process.hooked) this.owners.set(sidecar, peer);
      else this.owners.delete(sidecar);
    }
  }

  private statusOf(name: string): ContainerStatus {
    const slot = this.slot(name);
    const { process, last, restarts, waiting, ends } = slot;
    const status: ContainerStatus = {
      name,
      image: last?.image ?? '',
      imageID: last === undefined ? '' : `repo@sha256:${imageIdOf(last.image)}`,
      containerID: last?.id ?? '',
      restartCount: restarts,
      ready: slot.ready && !this.unready.has(name),
      started: process !== undefined,
      state:
        process === undefined
          ? { waiting: { reason: waiting ?? 'ContainerCreating' } }
          : { running: { startedAt: new Date(process.startedAt - (process.startedAt % 1_000)).toISOString() } },
    };
    const ended = ends.at(-1);
    if (ended !== undefined)
      status.lastState = { terminated: { exitCode: 0, finishedAt: new Date(ended).toISOString() } };
    return status;
  }
}
