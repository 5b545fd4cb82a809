import { isObject } from './compare.js';

/**
 * A probe with what the API server fills in. Written down here on its own, so that what core does is compared with it.
 *
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe
 */
export function withProbeDefaults(probe: Record<string, unknown>): Record<string, unknown> {
  const { httpGet } = probe;
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...(isObject(httpGet)
      ? { httpGet: { ...httpGet, path: httpGet.path || '/', scheme: httpGet.scheme || 'HTTP' } }
      : {}),
  };
}
