import type { EventPort, KnownPod } from '@sidestep/controller';
import type { PodEvent, RolloutEvent, SidecarSet } from '@sidestep/core';
import type { EventRecorder } from '@sidestep/kube';

/** A native sidecar is one of the init containers, and the kubelet's Events about it say so. */
const LISTS = ['containers', 'initContainers'] as const;

/** Events of the controller, written by the recorder. */
export class KubeEvents implements EventPort {
  constructor(private readonly recorder: EventRecorder) {}

  onPod({ metadata, spec }: KnownPod, event: PodEvent & { container?: string }): void {
    const { type, reason, message, container } = event;
    const about = { apiVersion: 'v1', kind: 'Pod', ...identity(metadata) };
    const field = LISTS.find((list) => spec?.[list]?.some(({ name }) => name === container));
    const fieldPath = field === undefined ? {} : { fieldPath: `spec.${field}{${container}}` };
    // One for each pod that went well: a rollout of thousands must not wait for its own news.
    const urgency = type === 'Normal' ? 'late' : 'now';
    this.recorder.record({ ...about, ...fieldPath }, { type, reason, message }, urgency);
  }

  onSidecarSet({ metadata }: SidecarSet, { type, reason, message }: RolloutEvent): void {
    const about = { apiVersion: 'apps.kruise.io/v1beta1', kind: 'SidecarSet', ...identity(metadata) };
    this.recorder.record(about, { type, reason, message });
  }
}

const identity = ({ name = '', namespace, uid }: { name?: string; namespace?: string; uid?: string }) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(uid === undefined ? {} : { uid }),
});
