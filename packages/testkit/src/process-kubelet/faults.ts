import type { Gate } from './gate.js';
import type { ImageStore } from './image-store.js';
import { KubeletError } from './kubelet-error.js';
import type { NodeRegistration } from './node-registration.js';
import type { ContainerRef, KubeletFaults } from './options.js';
import type { LiveContainer } from './pod-containers.js';
import type { PodObject } from './pod-spec.js';

export interface FaultParts {
  gate: Gate;
  images: ImageStore;
  registration: NodeRegistration;
  pods(): PodObject[];
  find(ref: ContainerRef): LiveContainer | undefined;
}

export function kubeletFaults(parts: FaultParts): KubeletFaults {
  const live = (ref: ContainerRef): LiveContainer => {
    const found = parts.find(ref);
    if (found) return found;
    throw new KubeletError(
      'NotRunning',
      `container ${ref.container} of pod ${ref.namespace}/${ref.pod} does not run on this node`,
      'Wait for it with waitFor, or look at containers().',
      'backoff',
    );
  };
  return {
    freeze: () => parts.gate.close(),
    thaw: () => parts.gate.open(),
    async loseNode() {
      parts.gate.close();
      await parts.registration.reportLost(parts.pods());
    },
    signal(ref, signal) {
      const { process } = live(ref);
      process.signal(signal);
      return process.pid;
    },
    signalAll(ref, signal) {
      const { process } = live(ref);
      process.signalAll(signal);
      return process.pid;
    },
    failPulls: (image, fail = true) => parts.images.failPulls(image, fail),
    slowPulls: (image, ms) => parts.images.slowPulls(image, ms),
  };
}
