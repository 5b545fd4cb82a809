import { KRUISE, type Pod } from '@sidestep/core';
import { EMPTY_DIGEST } from '../world/scenario.js';
import type { PodWatcher } from '../world/world.js';

interface Moment {
  uid: string;
  /** Container name in the pod to its image. */
  images: Record<string, string>;
  working: string;
  /** Container name in the pod to the version that its annotation gives. */
  versions: Record<string, bigint>;
  isReady: boolean;
  /** It was not ready when it was begun, and so takes nothing of the budget, as with OpenKruise; or nobody saw what it was. */
  isFree: boolean;
}

const isEmpty = (image: string | undefined): boolean => image?.endsWith(EMPTY_DIGEST) ?? true;

const parse = (text: string | undefined): Record<string, string> => JSON.parse(text ?? '{}') as Record<string, string>;

/**
 * Looks at every version of the pods of one hot sidecar, in order, for what must never be seen: two writers' work on one pod, a
 * pointer to a container that serves nothing, a version that does not rise, more pods begun at once than the budget allows.
 */
export class PodHistory implements PodWatcher {
  /** One sentence each. */
  readonly breaches: string[] = [];
  private readonly pods = new Map<string, Moment>();
  private isAway = false;

  constructor(
    private readonly container: string,
    /** Pods that may be begun at once. */
    private readonly budget: number,
  ) {}

  observe(pod: Pod): void {
    const name = pod.metadata.name ?? '';
    const next = this.momentOf(pod);
    const last = this.pods.get(name);
    if (!next || pod.metadata.deletionTimestamp) {
      this.pods.delete(name);
      return;
    }
    this.follow(next, last?.uid === next.uid ? last : undefined);
    this.pods.set(name, next);
    if (isEmpty(next.images[next.working])) this.breach(name, `the pointer names ${next.working}, which is empty`);
    if (this.isAway) return;
    if (last?.uid === next.uid) this.compare(name, last, next);
    this.judgeBudget(name);
  }

  /** Versions are missed from here on: two writes may look like one, and pods come from different moments. */
  lookAway(): void {
    this.isAway = true;
  }

  /** What is known is of one moment again. */
  lookBack(): void {
    this.isAway = false;
    this.judgeBudget('after a new list');
  }

  private judgeBudget(name: string): void {
    const open = [...this.pods].filter(([, moment]) => isOpen(moment) && !moment.isFree).map(([pod]) => pod);
    if (open.length <= this.budget) return;
    this.breach(name, `${open.length} pods are begun at once, ${this.budget} may be: ${open.join(', ')}`);
  }

  private follow(next: Moment, last: Moment | undefined): void {
    const isStill = last !== undefined && isOpen(last) && (!this.isAway || isSameBegin(last, next));
    if (isStill) next.isFree = last.isFree;
    else next.isFree = this.isAway || (last !== undefined && !last.isReady);
  }

  /** The pod is gone. */
  forget(name: string): void {
    this.pods.delete(name);
  }

  private compare(name: string, last: Moment, next: Moment): void {
    const changed = Object.keys(next.images).filter((container) => next.images[container] !== last.images[container]);
    if (changed.length === 0 && last.working === next.working) return;
    if (changed.length > 1) this.breach(name, 'one write changed both containers');
    const begun = changed.find((container) => !isEmpty(next.images[container]));
    if (begun !== undefined) this.compareBegun(name, begun, last, next);
    else if (changed.length === 0) this.breach(name, `the pointer went to ${next.working} and no image changed`);
  }

  private compareBegun(name: string, begun: string, last: Moment, next: Moment): void {
    if (next.working !== begun) this.breach(name, `${begun} was begun, but the pointer names ${next.working}`);
    const version = next.versions[begun] ?? 0n;
    // The proxies compare the two annotations as they stand now, so a rise against the past alone would not do.
    const [was = 0n, is = 0n] = [last.versions[last.working], next.versions[last.working]];
    if (begun !== last.working && (version <= was || version <= is))
      this.breach(name, `${begun} was begun as version ${version}, not above ${is}`);
    const peers = Object.entries(last.images).filter(([container]) => container !== begun);
    if (peers.some(([, image]) => image === next.images[begun]))
      this.breach(name, `${begun} was begun with ${next.images[begun]}, which its peer runs already`);
  }

  private momentOf({ metadata, spec, status }: Pod): Moment | undefined {
    const annotations = metadata.annotations ?? {};
    const working = parse(annotations[KRUISE.workingHotContainer])[this.container];
    if (working === undefined) return undefined;
    const pair = spec.containers.filter(({ name }) => /^(.*)-[12]$/.exec(name)?.[1] === this.container);
    return {
      uid: metadata.uid ?? '',
      working,
      isReady: isReady(status),
      isFree: false,
      images: Object.fromEntries(pair.map(({ name, image = '' }) => [name, image])),
      versions: Object.fromEntries(
        pair.map(({ name }) => [name, BigInt(annotations[`${KRUISE.versionPrefix}${name}`] ?? '0')]),
      ),
    };
  }

  private breach(pod: string, what: string): void {
    this.breaches.push(`${pod}: ${what}`);
  }
}

const isReady = (status: Pod['status']): boolean =>
  status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;

const isSameBegin = (one: Moment, other: Moment): boolean =>
  Object.keys(one.versions).every((container) => one.versions[container] === other.versions[container]);

const isOpen = ({ images, working }: Moment): boolean =>
  Object.entries(images).some(([container, image]) => container !== working && !isEmpty(image));
