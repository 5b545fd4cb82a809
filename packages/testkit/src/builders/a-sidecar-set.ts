import type { KubeObject } from '@sidestep/kube';
import type { BuiltContainer } from './a-pod.js';
import { ObjectBuilder } from './object-builder.js';

type Open = Record<string, unknown>;

export interface BuiltSidecarSet extends KubeObject {
  spec: Open & { selector: Open; containers: BuiltContainer[]; updateStrategy?: Open };
}

/** A SidecarSet (v1beta1) for pods labelled `app: shop`, with no sidecar yet. */
export const aSidecarSet = (name = 'mesh-set'): SidecarSetBuilder =>
  new SidecarSetBuilder({
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name },
    spec: { selector: { matchLabels: { app: 'shop' } }, containers: [] },
  });

export class SidecarSetBuilder extends ObjectBuilder<BuiltSidecarSet> {
  constructor(set: BuiltSidecarSet) {
    super(set);
  }

  selecting(matchLabels: Record<string, string>): this {
    return this.withSpec({ selector: { matchLabels } });
  }

  /** One upgraded by replacing its image. */
  withSidecar(name: string, image: string, more: Open = {}): this {
    return this.withSpec({ containers: [...this.object.spec.containers, { name, image, ...more }] });
  }

  /** One that runs as a pair and hands its connections over; `emptyImage` is what the idle half runs. */
  withHotSidecar(name: string, image: string, emptyImage = 'empty:1', more: Open = {}): this {
    const upgradeStrategy = { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: emptyImage };
    return this.withSidecar(name, image, { upgradeStrategy, ...more });
  }

  /** Another image for the sidecar of this name. */
  withImage(name: string, image: string): this {
    const containers = this.object.spec.containers.map((one) => (one.name === name ? { ...one, image } : one));
    return this.withSpec({ containers });
  }

  withUpdateStrategy(updateStrategy: Open): this {
    return this.withSpec({ updateStrategy: { ...this.object.spec.updateStrategy, ...updateStrategy } });
  }

  withSpec(spec: Open): this {
    return this.with({ spec: { ...this.object.spec, ...spec } });
  }

  protected next(set: BuiltSidecarSet): this {
    return new SidecarSetBuilder(set) as this;
  }
}
