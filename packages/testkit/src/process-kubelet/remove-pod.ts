import type { NodeContext } from './node-context.js';
import type { PodObject } from './pod-spec.js';
import { isGone, PODS } from './status-writer.js';

const RETRY_MS = 200;

/** Deletes a pod whose containers have ended, and no other pod of that name; tries until it is done or `isWanted` says no. */
export async function removePod(
  { api, log }: Pick<NodeContext, 'api' | 'log'>,
  pod: PodObject,
  isWanted: () => boolean,
): Promise<void> {
  const { namespace = 'default', name = '', uid = '' } = pod.metadata;
  while (isWanted()) {
    try {
      await api.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      log({ event: 'pod-removed', pod: `${namespace}/${name}` });
      return;
    } catch (error) {
      if (isGone(error)) return;
      log({ event: 'remove-failed', pod: `${namespace}/${name}`, error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
