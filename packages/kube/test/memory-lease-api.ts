import { type KubeApi, KubeError, type KubeObject } from '../src/index.js';

/** One object with optimistic locking, and calls that can be made to fail or hang. */
export class MemoryLeaseApi {
  object: KubeObject | undefined;
  calls: string[] = [];
  failing = false;
  hanging = false;
  #version = 0;

  asKubeApi(): KubeApi {
    return {
      get: () => this.#call('get', () => this.#existing()),
      create: (_: unknown, object: KubeObject) => this.#call('create', () => this.#create(object)),
      replace: (_: unknown, object: KubeObject) => this.#call('replace', () => this.#replace(object)),
    } as unknown as KubeApi;
  }

  async #call(name: string, run: () => KubeObject): Promise<KubeObject> {
    this.calls.push(name);
    if (this.hanging) return new Promise(() => undefined);
    if (this.failing) throw new KubeError({ status: 500, reason: 'InternalError', message: 'down' });
    return structuredClone(run());
  }

  #existing(): KubeObject {
    if (!this.object) throw new KubeError({ status: 404, reason: 'NotFound', message: 'none' });
    return this.object;
  }

  #create(object: KubeObject): KubeObject {
    if (this.object) throw new KubeError({ status: 409, reason: 'AlreadyExists', message: 'there is one' });
    return this.#store(object);
  }

  #replace(object: KubeObject): KubeObject {
    if (this.#existing().metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new KubeError({ status: 409, reason: 'Conflict', message: 'changed' });
    }
    return this.#store(object);
  }

  #store(object: KubeObject): KubeObject {
    this.#version += 1;
    this.object = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version) },
    });
    return this.object;
  }
}
