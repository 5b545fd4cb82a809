import type { KubeObject } from '@sidestep/kube';

/** What every builder can say about the object it makes. Builders change nothing: each call gives a new one. */
export abstract class ObjectBuilder<T extends KubeObject> {
  protected constructor(protected readonly object: T) {}

  /** The object so far; the caller may change it as he likes. */
  build(): T {
    return structuredClone(this.object);
  }

  labelled(labels: Record<string, string>): this {
    return this.withMeta({ labels: { ...this.object.metadata.labels, ...labels } });
  }

  annotated(annotations: Record<string, string>): this {
    return this.withMeta({ annotations: { ...this.object.metadata.annotations, ...annotations } });
  }

  inNamespace(namespace: string): this {
    return this.withMeta({ namespace });
  }

  withMeta(metadata: KubeObject['metadata']): this {
    return this.with({ metadata: { ...this.object.metadata, ...metadata } } as Partial<T>);
  }

  protected with(change: Partial<T>): this {
    return this.next({ ...this.object, ...change });
  }

  protected abstract next(object: T): this;
}
