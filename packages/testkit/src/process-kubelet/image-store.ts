import { type CatalogueImage, type FoundImage, findImage, type ImageCatalogue } from './image-catalogue.js';
import { KubeletError } from './kubelet-error.js';
import type { ContainerSpec } from './pod-spec.js';

/** https://github.com/distribution/reference: what can be the name of an image at all. */
const REFERENCE = /^[a-z0-9]+([._:/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;

interface PullDelay {
  delayMs: number;
  usedAtMs: number;
}

/** The images of one node: what is here, what pulling takes, and the back-off of failing pulls. */
export class ImageStore {
  readonly #catalogue: ImageCatalogue;
  readonly #backOff: { baseMs: number; maxMs: number };
  readonly #present = new Set<string>();
  readonly #failing = new Set<string>();
  readonly #slow = new Map<string, number>();
  readonly #pulls = new Map<string, Pull>();
  readonly #delays = new Map<string, PullDelay>();

  constructor(catalogue: ImageCatalogue, backOff: { baseMs: number; maxMs: number }) {
    this.#catalogue = catalogue;
    this.#backOff = backOff;
  }

  failPulls(image: string, fail: boolean): void {
    if (fail) this.#failing.add(image);
    else this.#failing.delete(image);
    this.#forget(image);
  }

  /** Also the pull that runs takes this long from now on. */
  slowPulls(image: string, ms: number): void {
    this.#slow.set(image, ms);
    const id = this.#forget(image);
    if (id) this.#pulls.get(id)?.endIn(ms);
  }

  /**
   * Makes sure that the image of a container is on the node. Rejects with `KubeletError` whose code is the waiting reason:
   * `InvalidImageName`, `ErrImageNeverPull`, `ErrImagePull`, `ImagePullBackOff`.
   */
  async ensure(podUid: string, container: ContainerSpec): Promise<FoundImage> {
    const { image } = container;
    if (!REFERENCE.test(image)) throw refused('InvalidImageName', `couldn't parse image name "${image}"`);
    const found = findImage(this.#catalogue, image);
    const policy = container.imagePullPolicy ?? defaultPolicy(image);
    const here = found !== undefined && this.#isHere(image, found);
    if (here && policy !== 'Always') return found;
    if (policy === 'Never') {
      throw refused('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`);
    }
    this.#refuseInBackOff(podUid, image);
    if (!found || this.#failing.has(image)) {
      this.#count(podUid, image);
      throw refused('ErrImagePull', `failed to pull image "${image}": not found`);
    }
    if (!here) await this.#pull(image, found);
    return found;
  }

  #isHere(image: string, { entry, id }: FoundImage): boolean {
    if (this.#present.has(id)) return true;
    return !this.#failing.has(image) && !this.#slow.has(image) && !entry.pullMs;
  }

  /** One pull at a time per image, however many containers want it. */
  #pull(image: string, { entry, id }: FoundImage): Promise<void> {
    const running = this.#pulls.get(id);
    if (running !== undefined) return running.done;
    const pull = startPull(this.#pullMs(image, entry), () => {
      this.#present.add(id);
      this.#pulls.delete(id);
    });
    this.#pulls.set(id, pull);
    return pull.done;
  }

  #pullMs(image: string, entry: CatalogueImage): number {
    return this.#slow.get(image) ?? entry.pullMs ?? 0;
  }

  #forget(image: string): string | undefined {
    const id = findImage(this.#catalogue, image)?.id;
    if (id) this.#present.delete(id);
    return id;
  }

  #refuseInBackOff(podUid: string, image: string): void {
    const entry = this.#delays.get(`${podUid}\n${image}`);
    if (entry && Date.now() - entry.usedAtMs < entry.delayMs) {
      throw refused('ImagePullBackOff', `Back-off pulling image "${image}"`);
    }
  }

  #count(podUid: string, image: string): void {
    const key = `${podUid}\n${image}`;
    const before = this.#delays.get(key);
    const delayMs = before ? Math.min(before.delayMs * 2, this.#backOff.maxMs) : this.#backOff.baseMs;
    this.#delays.set(key, { delayMs, usedAtMs: Date.now() });
  }
}

/** https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting */
function defaultPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const refused = (code: string, message: string) =>
  new KubeletError(code, message, 'Add the image to the catalogue, or correct its name.', 'backoff');

/** One that runs. */
interface Pull {
  done: Promise<void>;
  /** Whatever it was to take. */
  endIn(ms: number): void;
}

const startPull = (ms: number, onEnd: () => void): Pull => {
  let end = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  }).then(onEnd);
  let timer = setTimeout(end, ms);
  const endIn = (left: number): void => {
    clearTimeout(timer);
    timer = setTimeout(end, left);
  };
  return { done, endIn };
};
