import type { UpgradeTarget } from '../pod-upgrade/types.js';
import type { NodeImageState, PodSummary, PrePullRequest } from './types.js';

/** How many nodes of one SidecarSet pull at a time: a registry and its network are shared by all of them. */
const MAX_PARALLEL_PULLS = 10;

export interface PrePullDecision {
  /** What the nodes must have before their pods are begun. */
  images: string[];
  requests: PrePullRequest[];
  /** Nodes of candidates where the image is neither there nor known not to come. */
  unsettled: number;
  failed: number;
  /** Why, of the first such node, where more is known than that its kubelet cannot pull. */
  cause: string | undefined;
}

interface KnownState {
  state: NodeImageState;
  cause?: string | undefined;
}

/** Which nodes lack the images of the target, for `updateStrategy.prePull`. */
export class PrePull {
  private readonly candidates = new Map<string, number>();
  private readonly states = new Map<string, Map<string, KnownState>>();

  count({ node }: PodSummary, by: 1 | -1): void {
    if (node === '') return;
    const count = (this.candidates.get(node) ?? 0) + by;
    if (count === 0) this.candidates.delete(node);
    else this.candidates.set(node, count);
  }

  /** Candidates are counted anew; what is known of nodes stays until the next decision. */
  clear(): void {
    this.candidates.clear();
  }

  setState(node: string, image: string, known: KnownState): void {
    if (known.state === 'unknown') {
      this.states.get(node)?.delete(image);
      return;
    }
    const images = this.states.get(node) ?? new Map<string, KnownState>();
    images.set(image, known);
    this.states.set(node, images);
  }

  /** The node has every image of the target. A pod that is on no node yet has nothing to wait for. */
  isPresent(node: string, images: readonly string[]): boolean {
    return node === '' || images.every((image) => this.stateOf(node, image) === 'present');
  }

  decide(target: UpgradeTarget): PrePullDecision {
    const images = targetImages(target);
    this.forgetBut(images);
    const decision: PrePullDecision = { images, requests: [], unsettled: 0, failed: 0, cause: undefined };
    const wanted: PrePullRequest[] = [];
    let pulling = 0;
    for (const node of this.candidates.keys()) {
      const states = images.map((image) => this.stateOf(node, image));
      if (states.includes('failed')) {
        decision.failed += 1;
        decision.cause ??= images.map((image) => this.states.get(node)?.get(image)?.cause).find(isKnown);
      }
      if (!states.includes('failed') && states.some((state) => state !== 'present')) decision.unsettled += 1;
      pulling += states.filter((state) => state === 'pulling').length;
      images.forEach((image, i) => {
        if (states[i] === 'unknown') wanted.push({ node, image });
      });
    }
    decision.requests = wanted.slice(0, Math.max(0, MAX_PARALLEL_PULLS - pulling));
    return decision;
  }

  /** Forgets what no candidate may need; nothing else bounds it while nodes come and go. */
  forgetBut(images: readonly string[]): void {
    for (const [node, states] of this.states) {
      for (const image of states.keys()) if (!images.includes(image)) states.delete(image);
      if (states.size === 0 || !this.candidates.has(node)) this.states.delete(node);
    }
  }

  /** How many images of nodes are kept in mind. */
  get size(): number {
    return [...this.states.values()].reduce((sum, images) => sum + images.size, 0);
  }

  private stateOf(node: string, image: string): NodeImageState {
    return this.states.get(node)?.get(image)?.state ?? 'unknown';
  }
}

const isKnown = (cause: string | undefined): cause is string => cause !== undefined;

/** The images that an upgrade to the target may have to start; empty images included, as an unpulled one is down time as well. */
export function targetImages({ hot, plain }: UpgradeTarget): string[] {
  const images = [...hot.flatMap(({ image, emptyImage }) => [image, emptyImage]), ...plain.map(({ image }) => image)];
  return [...new Set(images)].filter((image) => image !== '');
}
