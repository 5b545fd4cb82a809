import { type Clock, type KubeApi, KubeError } from '../src/index.js';

/** Notes what is written, and fails or is slow on demand. */
export class RecordingEventApi {
  readonly created: Record<string, unknown>[] = [];
  readonly patched: [string, unknown][] = [];
  failWith: number | undefined;
  slow: { clock: Clock; ms: number } | undefined;

  asKubeApi(): KubeApi {
    return {
      create: async (_: unknown, object: Record<string, unknown>) => {
        const { slow } = this;
        if (slow !== undefined) await new Promise<void>((resolve) => slow.clock.after(slow.ms, resolve));
        this.#fail();
        this.created.push(object);
        return object;
      },
      patch: async (_: unknown, ref: { name: string }, patch: unknown) => {
        this.#fail();
        this.patched.push([ref.name, patch]);
        return {};
      },
    } as unknown as KubeApi;
  }

  #fail(): void {
    const status = this.failWith;
    this.failWith = undefined;
    if (status === undefined) return;
    throw new KubeError({ status, reason: status === 404 ? 'NotFound' : 'InternalError', message: 'no' });
  }
}
