import { hostname } from 'node:os';
import type { ManagedFieldsPolicy } from '@sidestep/core';
import {
  ConfigError,
  describeSettings,
  type Environment,
  givenIn,
  readSettings,
  type Settings,
  wholeNumber,
} from '@sidestep/observability';
import { z } from 'zod';

export { ConfigError };

const text = z.string().min(1);

/** Every environment variable of the upgrade worker, in the order of --help. The one place that knows them. */
const SETTINGS = {
  SIDESTEP_ROLE: {
    schema: z.enum(['planner', 'worker', 'all']),
    allowed: 'planner, worker or all',
    default: 'all',
    help: 'What this process does: plan rollouts (one leader at a time), run phases, or both',
  },
  SIDESTEP_QUEUE: {
    schema: z.enum(['redis', 'memory']),
    allowed: 'redis, or memory together with SIDESTEP_ROLE=all',
    default: 'redis',
    help: 'Where phase jobs wait; memory is for a single process',
  },
  REDIS_URL: {
    schema: z.string().regex(/^rediss?(\+cluster)?:\/\/./),
    allowed: 'redis://host:port, rediss://host:port, or redis+cluster://host:port[,host:port...]',
    default: 'redis://127.0.0.1:6379',
    help: 'The Redis or Valkey that holds the phase jobs',
    secret: true,
  },
  SIDESTEP_QUEUE_NAME: {
    schema: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
    allowed: 'lower-case letters, digits and dashes, 63 at most',
    default: 'phases',
    help: 'Clusters that share one Redis need a name each; the same for planner and workers of one',
  },
  KUBECONFIG: {
    schema: z.string(),
    allowed: 'the path of a kubeconfig',
    default: '',
    help: 'Empty: ~/.kube/config if there is one, else the service account of the pod',
  },
  SIDESTEP_NAMESPACE: {
    schema: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
    allowed: 'a namespace name',
    default: 'kruise-system',
    help: 'Where the Lease and the ControllerRevisions live',
  },
  SIDESTEP_WORKER_CONCURRENCY: {
    schema: wholeNumber(1, 1_000),
    allowed: 'a whole number from 1 to 1000',
    default: '6',
    help: 'Phases that one worker runs at once',
  },
  SIDESTEP_POD_MANAGED_FIELDS: {
    schema: z.enum(['release', 'keep']),
    allowed: 'release or keep',
    default: 'release',
    help: 'release takes metadata.managedFields from pods as they are upgraded, unless anybody has applied them; it halves what each further write of such a pod costs the API server',
  },
  SIDESTEP_KUBE_QPS: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '300',
    help: 'Calls per second to the API server in the long run, watches not counted',
  },
  SIDESTEP_KUBE_BURST: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '600',
    help: 'Calls at once after a rest',
  },
  SIDESTEP_EVENT_QPS: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '10',
    help: 'Events a second that say that a pod went well, in the long run, and five times as many at once after a rest; Warnings and Events of SidecarSets do not wait',
  },
  SIDESTEP_LEASE_NAME: {
    schema: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/),
    allowed: 'an object name',
    default: 'sidestep-planner',
    help: 'The Lease that makes one planner the leader',
  },
  SIDESTEP_LEASE_SECONDS: {
    schema: wholeNumber(3, 3_600),
    allowed: 'a whole number from 3 to 3600',
    default: '15',
    help: 'How long a planner that died keeps others waiting',
  },
  SIDESTEP_HEALTH_HOST: {
    schema: text,
    allowed: 'an address to listen on',
    default: '0.0.0.0',
    help: 'For health, metrics and /planner',
  },
  SIDESTEP_HEALTH_PORT: {
    schema: wholeNumber(0, 65_535),
    allowed: 'a port; 0 takes a free one',
    default: '8081',
    help: '/livez /readyz /metrics /planner',
  },
  SIDESTEP_LOG_LEVEL: {
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    allowed: 'trace, debug, info, warn, error, fatal or silent',
    default: 'info',
    help: 'The least important log line that is written',
  },
  SIDESTEP_STOP_SECONDS: {
    schema: wholeNumber(1, 3_600),
    allowed: 'a whole number from 1 to 3600',
    default: '20',
    help: 'How long running phases may take to end after SIGTERM; keep it below the grace period of the pod',
  },
  POD_NAME: { schema: text, allowed: 'a name', default: hostname(), help: 'Shown in Events and in the Lease' },
} as const satisfies Settings;

/** What the process was told, checked. */
export interface Config {
  role: 'planner' | 'worker' | 'all';
  queue: 'redis' | 'memory';
  redisUrl: string;
  queueName: string;
  kubeconfig: string;
  home: string | undefined;
  namespace: string;
  concurrency: number;
  managedFields: ManagedFieldsPolicy;
  kubeQps: number;
  kubeBurst: number;
  eventQps: number;
  leaseName: string;
  leaseSeconds: number;
  healthHost: string;
  healthPort: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  stopSeconds: number;
  instance: string;
}

/** Reads the environment. Throws `ConfigError`; empty variables count as unset. */
export function readConfig(environment: Environment = process.env): Config {
  const values = readSettings(SETTINGS, environment, ({ SIDESTEP_QUEUE, SIDESTEP_ROLE }) =>
    SIDESTEP_QUEUE === 'memory' && SIDESTEP_ROLE !== 'all' ? ['SIDESTEP_QUEUE'] : [],
  );
  return {
    role: values.SIDESTEP_ROLE,
    queue: values.SIDESTEP_QUEUE,
    redisUrl: values.REDIS_URL,
    queueName: values.SIDESTEP_QUEUE_NAME,
    kubeconfig: values.KUBECONFIG,
    home: givenIn(environment).HOME,
    namespace: values.SIDESTEP_NAMESPACE,
    concurrency: values.SIDESTEP_WORKER_CONCURRENCY,
    managedFields: values.SIDESTEP_POD_MANAGED_FIELDS,
    kubeQps: values.SIDESTEP_KUBE_QPS,
    kubeBurst: values.SIDESTEP_KUBE_BURST,
    eventQps: values.SIDESTEP_EVENT_QPS,
    leaseName: values.SIDESTEP_LEASE_NAME,
    leaseSeconds: values.SIDESTEP_LEASE_SECONDS,
    healthHost: values.SIDESTEP_HEALTH_HOST,
    healthPort: values.SIDESTEP_HEALTH_PORT,
    logLevel: values.SIDESTEP_LOG_LEVEL,
    stopSeconds: values.SIDESTEP_STOP_SECONDS,
    instance: values.POD_NAME,
  };
}

/** The text of --help. */
export const describeConfig = (): string =>
  describeSettings('sidestep-worker: plans the rollouts of SidecarSets and runs their phases.', SETTINGS);
