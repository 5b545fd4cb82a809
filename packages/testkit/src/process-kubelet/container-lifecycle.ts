import { EnvSourceError } from './container-environment.js';
import { KubeletError } from './kubelet-error.js';
import { translatePaths } from './mount-paths.js';
import type { NodeContext } from './node-context.js';
import type { LiveContainer, PodContainers } from './pod-containers.js';
import type { ContainerSpec, Handler, PodObject } from './pod-spec.js';
import type { StartFailure } from './pod-status.js';
import { type HandlerResult, runHandler } from './run-handler.js';

/** No container is given less than this between SIGTERM and SIGKILL, whatever its preStop hook used up (the kubelet's own floor). */
const SHORTEST_GRACE_MS = 2_000;

export const gracePeriodMs = (pod: PodObject): number => (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;

export interface StartRequest {
  context: NodeContext;
  containers: PodContainers;
  pod: PodObject;
  container: ContainerSpec;
  restartCount: number;
  /** Aborts the postStart hook: the pod is being deleted. */
  cancel: AbortSignal;
}

/**
 * Pulls, starts, and runs the postStart hook to its end; nothing else happens to the pod meanwhile. Resolves with why the
 * container does not run, or with nothing.
 */
export async function startContainer(request: StartRequest): Promise<StartFailure | undefined> {
  const { context, pod, container } = request;
  try {
    const image = await context.images.ensure(pod.metadata.uid ?? '', container);
    context.events.record(pod, 'Normal', 'Pulled', `Container image "${container.image}" is present`, container.name);
    return await context.startSlots.during(async () => {
      const live = await request.containers.start({ ...request, image });
      const { pid, restartCount } = live.record;
      context.log({ event: 'started', ...about(pod, container), image: container.image, pid, restartCount });
      context.events.record(pod, 'Normal', 'Started', `Started container ${container.name}`, container.name);
      return await postStart(request, live);
    });
  } catch (error) {
    const failure = startFailure(error);
    context.log({ event: 'start-failed', ...about(pod, container), image: container.image, ...failure });
    context.events.record(pod, 'Warning', 'Failed', `${failure.reason}: ${failure.message}`, container.name);
    return failure;
  }
}

async function postStart(request: StartRequest, live: LiveContainer): Promise<StartFailure | undefined> {
  const { context, pod, container, cancel } = request;
  const hook = container.lifecycle?.postStart;
  if (!hook) return undefined;
  const startedAt = Date.now();
  const result = await runHook(hook, live, request.containers.podIP, undefined, cancel);
  const tookMs = Date.now() - startedAt;
  context.log({ event: 'post-start', ...about(pod, container), ok: result.ok, tookMs, message: result.message });
  if (result.ok) return undefined;
  // Like the kubelet's, the event does not carry the hook's output.
  context.events.record(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', container.name);
  await killContainer({ context, pod, live, podIP: request.containers.podIP, graceMs: gracePeriodMs(pod) });
  return { reason: 'PostStartHookError', message: 'PostStartHook failed' };
}

export interface KillRequest {
  context: NodeContext;
  pod: PodObject;
  live: LiveContainer;
  podIP: string;
  graceMs: number;
  message?: string;
}

/** preStop, SIGTERM, and SIGKILL at the end of the grace period, which the hook counts against. Resolves when the container is gone. */
export async function killContainer({ context, pod, live, podIP, graceMs, message }: KillRequest): Promise<void> {
  const { name } = live.record;
  context.log({ event: 'killing', ...about(pod, live.spec), pid: live.record.pid, message });
  context.events.record(pod, 'Normal', 'Killing', message ?? `Stopping container ${name}`, name);
  const begunAt = Date.now();
  const preStop = live.spec.lifecycle?.preStop;
  if (preStop) await runPreStop(preStop, live, { context, pod, podIP, graceMs });
  live.process.signal('SIGTERM');
  const leftMs = Math.max(graceMs - (Date.now() - begunAt), SHORTEST_GRACE_MS);
  const timer = setTimeout(() => live.process.signal('SIGKILL'), leftMs);
  await live.ended;
  clearTimeout(timer);
}

async function runPreStop(
  hook: Handler,
  live: LiveContainer,
  { context, pod, podIP, graceMs }: { context: NodeContext; pod: PodObject; podIP: string; graceMs: number },
): Promise<void> {
  const result = await runHook(hook, live, podIP, graceMs);
  context.log({ event: 'pre-stop', ...about(pod, live.spec), ok: result.ok, message: result.message });
  if (!result.ok) context.events.record(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', live.spec.name);
}

function runHook(
  hook: Handler,
  live: LiveContainer,
  podIP: string,
  timeoutMs?: number,
  cancel?: AbortSignal,
): Promise<HandlerResult> {
  return runHandler(hook, {
    container: live.spec,
    podIP,
    env: live.env,
    cwd: live.cwd,
    translate: (text) => translatePaths(text, live.mappings),
    endsWith: cancel ? [cancel, live.gone.signal] : [live.gone.signal],
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

function startFailure(error: unknown): StartFailure {
  if (error instanceof KubeletError) return { reason: error.code, message: error.message };
  if (error instanceof EnvSourceError) return { reason: 'CreateContainerConfigError', message: error.message };
  return { reason: 'CreateContainerError', message: String(error) };
}

const about = (pod: PodObject, container: ContainerSpec) => ({
  pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
  container: container.name,
});
