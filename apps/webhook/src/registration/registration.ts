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
  readonly #failed = new Map<string, string>();
  #wanted: Wanted;

  constructor(options: RegistrationOptions, wanted: Wanted) {
    this.#options = options;
    this.#wanted = wanted;
    for (const [target, { kind, name }] of Object.entries(TARGETS)) {
      const watch = new Reflector<KubeObject>({ api: options.api, kind, fieldSelector: `metadata.name=${name}` });
      watch.store.subscribe(() => this.#queue.add(target));
      this.#watches.set(target, watch);
      this.#failed.set(target, 'not looked at yet');
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
    this.#wanted = wanted;
    for (const target of this.#watches.keys()) this.#queue.add(target);
  }

  /** Says which object could not be brought up to date, and why; `undefined` when all are. */
  problem(): string | undefined {
    for (const [target, reason] of this.#failed) return `${TARGETS[target]?.name}: ${reason}`;
    return undefined;
  }

  async #install(target: string): Promise<undefined> {
    const { kind, name } = TARGETS[target] as { kind: ResourceKind; name: string };
    const object = await this.#options.api.get(kind, { name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const changes = object ? registrationPatch(object, this.#wanted) : [];
    if (object && changes.length > 0) {
      await this.#options.api.patch(kind, { name }, [...optimisticGuards(object.metadata), ...changes], {
        type: 'json',
      });
      this.#options.onInstalled(name);
    }
    this.#failed.delete(target);
  }

  #noteFailure(target: string, error: unknown): void {
    this.#failed.set(target, error instanceof Error ? error.message : String(error));
    // Another replica writes the same thing; the next look finds it done.
    if (!isConflict(error)) this.#options.onError(target, error);
  }
}
