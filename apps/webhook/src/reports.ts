import type { CallReport, ReflectorEvent } from '@sidestep/kube';
import type { Logger, Metrics } from '@sidestep/observability';

/** Counts calls to the API server. */
export const reportCall =
  (metrics: Metrics) =>
  ({ verb, resource, status, seconds }: CallReport): void => {
    metrics.kubeCallSeconds.observe({ verb, resource, status: String(status) }, seconds);
  };

/** Counts what reflectors meet, and logs what a person may want to know. */
export const reportReflector =
  (metrics: Metrics, log: Logger) =>
  (resource: string, event: ReflectorEvent): void => {
    switch (event.type) {
      case 'relist':
        metrics.reflectorRelists.inc({ resource, reason: event.reason });
        return;
      case 'failed':
        metrics.reflectorFailures.inc({ resource, during: event.during });
        log.warn({ resource, during: event.during, error: event.error, retryInMs: event.retryInMs }, 'watching failed');
        return;
      case 'dropped':
        metrics.reflectorFailures.inc({ resource, during: 'read' });
        log.error({ resource, error: event.error }, 'an object cannot be read');
        return;
      case 'watchSilent':
        metrics.reflectorFailures.inc({ resource, during: 'silence' });
        return;
      case 'synced':
        log.info({ resource, objects: event.objects }, 'listed');
        return;
      case 'listed':
      case 'watchEnded':
        return;
    }
  };
