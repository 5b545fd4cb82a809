import { setTimeout as pause } from 'node:timers/promises';
import { KubeletError } from './kubelet-error.js';
import type { RunningContainer } from './options.js';
import type { PodWorker } from './pod-worker.js';

/** Every container that runs, as the runtime sees it at this moment. */
export function runningContainers(workers: readonly PodWorker[]): RunningContainer[] {
  return workers.flatMap((worker) =>
    worker.containers.live().map(({ record, logFile }) => ({
      namespace: worker.pod.metadata.namespace ?? '',
      pod: worker.pod.metadata.name ?? '',
      podIP: worker.podIP,
      container: record.name,
      image: record.image,
      containerID: record.containerID,
      pid: record.pid,
      startedAtMs: record.startedAtMs,
      restartCount: record.restartCount,
      logFile,
    })),
  );
}

/** Looks every 10 ms; rejects with `KubeletError` (`Timeout`) that says what runs instead. */
export async function waitForContainer(
  containers: () => RunningContainer[],
  matches: (container: RunningContainer) => boolean,
  deadlineMs = 30_000,
): Promise<RunningContainer> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = containers().find(matches);
    if (found) return found;
    if (Date.now() > end) {
      const running = containers().map(
        ({ pod, container, image, restartCount }) => `${pod}/${container} ${image} #${restartCount}`,
      );
      throw new KubeletError(
        'Timeout',
        `no such container within ${deadlineMs} ms`,
        `Running: ${running.join(', ') || 'none'}.`,
      );
    }
    await pause(10);
  }
}
