import { isDeepStrictEqual } from 'node:util';
import {
  isConflict,
  isNotFound,
  type KubeApi,
  type KubeObject,
  optimisticGuards,
  Reflector,
  type ResourceKind,
  WorkQueue,
} from '@sidestep/kube';
import { CRD, MUTATING, VALIDATING } from '../cluster/kinds.js';
import { registrationPatch, type Wanted } from './client-config.js';

/** The objects through which API servers call the webhook; their names are those of the shipped YAML. */
const TARGETS: Record<string, { kind: ResourceKind; name: string }> = {
  mutating: { kind: MUTATING, name: 'sidestep-mutating-webhook-configuration' },
  validating: { kind: VALIDATING, name: 'sidestep-validating-webhook-configuration' },
  conversion: { kind: CRD, name: 'sidecarsets.apps.kruise.io' },
};

export interface RegistrationOptions {
  api: KubeApi;
  onError: (target: string, error: unknown) => void;
  onInstalled: (target: string) => void;
}

/**
 * Keeps `clientConfig` of the webhook configurations and of the CRD right: at the start, when the certificate authority
 * changes, and whenever somebody applies the shipped YAML again. An object that does not exist is no problem: nobody calls
 * through it.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #queue = new WorkQueue();
  readonly #watches = new Map<string, Reflector<KubeObject>>();
  /** Why a target does not yet have what is wanted. */
  readonly #pending = new Map<string, string>();
  #wanted: Wanted;

  constructor(options: RegistrationOptions, wanted: Wanted) {
    this.#options = options;
    this.#wanted = wanted;
    for (const [target, { kind, name }] of Object.entries(TARGETS)) {
      const watch = new Reflector<KubeObject>({ api: options.api, kind, fieldSelector: `metadata.name=${name}` });
      watch.store.subscribe(() => this.#queue.add(target));
      this.#watches.set(target, watch);
      this.#pending.set(target, 'not looked at yet');
    }
  }

  start(): void {
    for (const watch of this.#watches.values()) watch.start();
    for (const target of this.#watches.keys()) this.#queue.add(target);
    void this.#queue.run(
      1,
      (target) => this.#install(target),
      (target, error) => this.#noteFailure(target, error),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.stop()));
    await this.#queue.shutdown();
  }

  /** From now on this is wanted. */
  want(wanted: Wanted): void {
    const another = !isDeepStrictEqual(wanted, this.#wanted);
    this.#wanted = wanted;
    for (const target of this.#watches.keys()) {
      if (another) this.#pending.set(target, 'not looked at yet');
      this.#queue.add(target);
    }
  }

  /**
   * Says which object was not yet brought up to date with what is wanted, and why; `undefined` once all were. A later look that
   * fails takes nothing back: an API server that is gone must not make every replica unready.
   */
  problem(): string | undefined {
    for (const [target, reason] of this.#pending) return `${TARGETS[target]?.name}: ${reason}`;
    return undefined;
  }

  async #install(target: string): Promise<undefined> {
    const { kind, name } = TARGETS[target] as { kind: ResourceKind; name: string };
    const wanted = this.#wanted;
    const object = await this.#options.api.get(kind, { name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const changes = object ? registrationPatch(object, wanted) : [];
    if (object && changes.length > 0) {
      await this.#options.api.patch(kind, { name }, [...optimisticGuards(object.metadata), ...changes], {
        type: 'json',
      });
      this.#options.onInstalled(name);
    }
    if (wanted === this.#wanted) this.#pending.delete(target);
  }

  #noteFailure(target: string, error: unknown): void {
    if (this.#pending.has(target)) this.#pending.set(target, error instanceof Error ? error.message : String(error));
    // Another replica writes the same thing; the next look finds it done.
    if (!isConflict(error)) this.#options.onError(target, error);
  }
}
