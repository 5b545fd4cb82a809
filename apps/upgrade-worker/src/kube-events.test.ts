import { expect, test } from '@jest/globals';
import type { KnownPod } from '@sidestep/controller';
import type { EventRecorder, InvolvedObject } from '@sidestep/kube';
import { KubeEvents } from './kube-events.js';

const metadata = { name: 'web', namespace: 'shop', uid: 'u1' };
const spec = { containers: [{ name: 'app' }, { name: 'mesh-1' }], initContainers: [{ name: 'proxy' }] };

const objectOf = (pod: KnownPod, container?: string): InvolvedObject | undefined => {
  let told: InvolvedObject | undefined;
  const recorder = { record: (about: InvolvedObject) => (told = about) } as unknown as EventRecorder;
  const event = { type: 'Warning', reason: 'SidecarUpgradeFailed', message: 'ErrImagePull' } as const;
  new KubeEvents(recorder).onPod(pod, container === undefined ? event : { ...event, container });
  return told;
};

test('an Event about a container points at it where the spec of the pod has it, a native sidecar among the init containers', () => {
  expect(objectOf({ metadata, spec }, 'mesh-1')?.fieldPath).toBe('spec.containers{mesh-1}');
  expect(objectOf({ metadata, spec }, 'proxy')?.fieldPath).toBe('spec.initContainers{proxy}');
});

test('an Event about a container of a pod whose spec is not at hand points at the pod alone', () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', ...metadata };
  expect(objectOf({ metadata }, 'proxy')).toEqual(pod);
  expect(objectOf({ metadata, spec })).toEqual(pod);
});
