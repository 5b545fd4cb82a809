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

/** Every environment variable of the webhook, in the order of --help. The one place that knows them. */
const SETTINGS = {
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
    help: 'Where ControllerRevisions, the white list and the certificate authority live',
  },
  SIDESTEP_WEBHOOK_HOST: {
    schema: text,
    allowed: 'an address to listen on',
    default: '0.0.0.0',
    help: 'For the API server',
  },
  SIDESTEP_WEBHOOK_PORT: {
    schema: wholeNumber(0, 65_535),
    allowed: 'a port; 0 takes a free one',
    default: '9876',
    help: 'For the API server; the port of the shipped Services',
  },
  SIDESTEP_TLS_MODE: {
    schema: z.enum(['self-managed', 'files']),
    allowed: 'self-managed or files',
    default: 'self-managed',
    help: 'self-managed: own certificate authority in a Secret, renewed and installed without help; files: from cert-manager or the like',
  },
  SIDESTEP_TLS_DIR: {
    schema: text,
    allowed: 'a folder with tls.crt and tls.key, read again when they change',
    default: '/etc/sidestep/tls',
    help: 'Only for SIDESTEP_TLS_MODE=files',
  },
  SIDESTEP_WEBHOOK_URL: {
    schema: z
      .string()
      .refine((url) => url === '' || /^https:\/\/[^/?#]+$/.test(url.replace(/\/$/, '')))
      .transform((url) => url.replace(/\/$/, '')),
    allowed: 'https://host:port without a path',
    default: '',
    help: 'Makes the API server call this address instead of the Service, e.g. when the webhook runs outside the cluster',
  },
  SIDESTEP_MAX_IN_FLIGHT: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '512',
    help: 'Reviews being read or answered at once; more are refused with 503 before they take memory',
  },
  SIDESTEP_MAX_MIB_IN_FLIGHT: {
    schema: wholeNumber(1, 65_536),
    allowed: 'a whole number from 1 to 65536',
    default: '64',
    help: 'MiB of the bodies of such reviews; one for which there is no room is refused with 503. One that is alone is always taken',
  },
  SIDESTEP_HEALTH_HOST: {
    schema: text,
    allowed: 'an address to listen on',
    default: '0.0.0.0',
    help: 'For health and metrics',
  },
  SIDESTEP_HEALTH_PORT: {
    schema: wholeNumber(0, 65_535),
    allowed: 'a port; 0 takes a free one',
    default: '8080',
    help: '/livez /readyz /metrics',
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
    help: 'How long the process may take to end after SIGTERM; keep it below the grace period of the pod',
  },
  SIDESTEP_DRAIN_SECONDS: {
    schema: wholeNumber(0, 600),
    allowed: 'a whole number from 0 to 600',
    default: '3',
    help: 'How long reviews are still taken after SIGTERM, until every API server has heard that this pod is leaving',
  },
} as const satisfies Settings;

/** What the process was told, checked. */
export interface Config {
  kubeconfig: string;
  home: string | undefined;
  namespace: string;
  host: string;
  port: number;
  tlsMode: 'self-managed' | 'files';
  tlsDir: string;
  /** Base address for the webhook configurations; undefined: they name the Service. */
  url: string | undefined;
  maxInFlight: number;
  maxMibInFlight: number;
  healthHost: string;
  healthPort: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  stopSeconds: number;
  drainSeconds: number;
}

/** Reads the environment. Throws `ConfigError`; empty variables count as unset. */
export function readConfig(environment: Environment = process.env): Config {
  const values = readSettings(SETTINGS, environment);
  return {
    kubeconfig: values.KUBECONFIG,
    home: givenIn(environment).HOME,
    namespace: values.SIDESTEP_NAMESPACE,
    host: values.SIDESTEP_WEBHOOK_HOST,
    port: values.SIDESTEP_WEBHOOK_PORT,
    tlsMode: values.SIDESTEP_TLS_MODE,
    tlsDir: values.SIDESTEP_TLS_DIR,
    url: values.SIDESTEP_WEBHOOK_URL || undefined,
    maxInFlight: values.SIDESTEP_MAX_IN_FLIGHT,
    maxMibInFlight: values.SIDESTEP_MAX_MIB_IN_FLIGHT,
    healthHost: values.SIDESTEP_HEALTH_HOST,
    healthPort: values.SIDESTEP_HEALTH_PORT,
    logLevel: values.SIDESTEP_LOG_LEVEL,
    stopSeconds: values.SIDESTEP_STOP_SECONDS,
    drainSeconds: values.SIDESTEP_DRAIN_SECONDS,
  };
}

/** The text of --help. */
export const describeConfig = (): string =>
  describeSettings(
    'sidestep-webhook: answers the API server when pods and SidecarSets are created or changed.',
    SETTINGS,
  );
