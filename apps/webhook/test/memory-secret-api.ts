import { type KubeApi, KubeError, type KubeObject, type WatchEvent } from '@sidestep/kube';

/** One Secret that several replicas share, with optimistic locking and watches. */
export class MemorySecretApi {
  secret: KubeObject | undefined;
  writes = 0;
  /** Runs once, before the next write: what somebody faster does. */
  interrupt: (() => Promise<void>) | undefined;
  readonly #watchers = new Set<(event: WatchEvent<KubeObject>) => void>();

  asKubeApi(): KubeApi {
    return {
      get: async () => structuredClone(this.#existing()),
      list: async () => ({
        items: this.secret ? [structuredClone(this.secret)] : [],
        metadata: { resourceVersion: String(this.writes) },
      }),
      create: async (_: unknown, object: KubeObject) => {
        await this.#interrupted();
        if (this.secret) throw new KubeError({ status: 409, reason: 'AlreadyExists', message: 'there is one' });
        return this.#store(object);
      },
      replace: async (_: unknown, object: KubeObject) => {
        await this.#interrupted();
        if (this.#existing().metadata.resourceVersion !== object.metadata.resourceVersion) {
          throw new KubeError({ status: 409, reason: 'Conflict', message: 'changed' });
        }
        return this.#store(object);
      },
      watch: (_kind: unknown, _options: unknown, signal: AbortSignal) => this.#watch(signal),
    } as unknown as KubeApi;
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<WatchEvent<KubeObject>> {
    const events: WatchEvent<KubeObject>[] = [];
    let wake: () => void = () => undefined;
    const listener = (event: WatchEvent<KubeObject>) => {
      events.push(event);
      wake();
    };
    this.#watchers.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      yield* events.splice(0);
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (events.length > 0 || signal.aborted) resolve();
      });
    }
    this.#watchers.delete(listener);
  }

  async #interrupted(): Promise<void> {
    const run = this.interrupt;
    this.interrupt = undefined;
    await run?.();
  }

  #existing(): KubeObject {
    if (!this.secret) throw new KubeError({ status: 404, reason: 'NotFound', message: 'none' });
    return this.secret;
  }

  #store(object: KubeObject): KubeObject {
    this.writes += 1;
    const type = this.secret ? 'MODIFIED' : 'ADDED';
    this.secret = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.writes) },
    });
    for (const listener of this.#watchers) listener({ type, object: structuredClone(this.secret) });
    return structuredClone(this.secret);
  }
}
