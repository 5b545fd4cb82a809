import type { PodReading, Problem } from '../pod-upgrade/pod-reading.js';
import { counted } from './counted.js';
import type { Tally } from './tally.js';

/** What keeps a pod that runs the wanted revision, with nothing under way, from being good; it holds a slot of maxUnavailable. */
export function findUnwell(reading: PodReading, isReady: boolean, goodAt: number): Problem {
  if (isReady) {
    const message = `ready, and good by minReadySeconds at ${new Date(goodAt).toISOString()}`;
    return { reason: 'WaitingForReadyTime', message };
  }
  const idle = new Set(reading.pairs.map(({ other }) => other.name));
  const statuses = reading.pod.status?.containerStatuses ?? [];
  const unready = statuses.filter(({ name, ready }) => ready !== true && !idle.has(name)).map(({ name }) => name);
  const [container] = unready;
  if (container === undefined) return { reason: 'PodsNotReady', message: 'the pod is not Ready' };
  const which = unready.length === 1 ? `container ${container} is` : `containers ${unready.join(', ')} are`;
  return { reason: 'PodsNotReady', message: `${which} not ready`, container };
}

/** Names upgraded pods that are not ready, some of them; empty when there is none. */
export function unwellText({ unwell }: Tally): string {
  if (unwell.size === 0) return '';
  const named = [...unwell.values()].slice(0, 3).map(({ key, message }) => `${key}: ${message}`);
  const more = unwell.size > named.length ? ', ...' : '';
  return `${counted(unwell.size, 'upgraded pod')} not ready: ${named.join('; ')}${more}`;
}
