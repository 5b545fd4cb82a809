// What users and other controllers do to pods.
import { PODS } from '../../world/resources.js';
import { act } from '../row.js';
import type { Stage } from '../stage.js';

const targetOf = (stage: Stage): string => `${String(stage.pod().status?.podIP)}:${stage.port}`;

/** A Service leaves a pod out from the moment it is being deleted. */
export const deleted = act('the pod is deleted', async (stage) => {
  await stage.load?.remove(targetOf(stage));
  const ref = { namespace: stage.namespace, name: stage.subject };
  await stage.world.platform.api.delete(PODS, ref, { gracePeriodSeconds: 2 });
});

export const gone = act('it is gone', async (stage) => {
  await stage.until(
    () => (stage.pods().some(({ metadata }) => metadata.name === stage.subject) ? undefined : true),
    `pod ${stage.subject} to go`,
    60_000,
  );
});

export const replaced = act('another pod comes under its name', async (stage) => {
  await stage.createPod(stage.subject);
  stage.load?.add(targetOf(stage));
});
