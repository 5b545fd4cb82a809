import { hostname } from 'node:os';
import { z } from 'zod';

const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(least).max(most));

const text = z.string().min(1);

interface Setting {
  schema: z.ZodType;
  /** In words, for the error and for --help. */
  allowed: string;
  default: string;
  /** Why one would set it. */
  help: string;
  /** The value may hold a password, so errors do not show it. */
  secret?: boolean;
}

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
    default: '16',
    help: 'Phases that one worker runs at once',
  },
  SIDESTEP_KUBE_QPS: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '200',
    help: 'Calls per second to the API server in the long run, watches not counted',
  },
  SIDESTEP_KUBE_BURST: {
    schema: wholeNumber(1, 10_000),
    allowed: 'a whole number from 1 to 10000',
    default: '400',
    help: 'Calls at once after a rest',
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
} as const satisfies Record<string, Setting>;

type Name = keyof typeof SETTINGS;

/** What the process was told, checked. */
export interface Config {
  role: 'planner' | 'worker' | 'all';
  queue: 'redis' | 'memory';
  redisUrl: string;
  kubeconfig: string;
  home: string | undefined;
  namespace: string;
  concurrency: number;
  kubeQps: number;
  kubeBurst: number;
  leaseName: string;
  leaseSeconds: number;
  healthHost: string;
  healthPort: number;
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  stopSeconds: number;
  instance: string;
}

/** One or more variables that cannot be used; the message has a line for each: its name, what it got, what is allowed. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly hint = 'Run with --help for every variable.';
  readonly retry = 'never' as const;

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

type Environment = Record<string, string | undefined>;

const shape = Object.fromEntries(
  Object.entries(SETTINGS as Record<string, Setting>).map(([name, setting]) => [
    name,
    setting.schema.prefault(setting.default),
  ]),
) as unknown as { [K in Name]: z.ZodPrefault<(typeof SETTINGS)[K]['schema']> };

const schema = z
  .object(shape)
  .refine((values) => values.SIDESTEP_QUEUE !== 'memory' || values.SIDESTEP_ROLE === 'all', {
    path: ['SIDESTEP_QUEUE'],
  });

/** Reads the environment. Throws `ConfigError`; empty variables count as unset. */
export function readConfig(environment: Environment = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const names = new Set(parsed.error.issues.map((issue) => issue.path[0] as Name));
    throw new ConfigError([...names].map((name) => problem(name, given[name])));
  }
  const values = parsed.data;
  return {
    role: values.SIDESTEP_ROLE,
    queue: values.SIDESTEP_QUEUE,
    redisUrl: values.REDIS_URL,
    kubeconfig: values.KUBECONFIG,
    home: given.HOME,
    namespace: values.SIDESTEP_NAMESPACE,
    concurrency: values.SIDESTEP_WORKER_CONCURRENCY,
    kubeQps: values.SIDESTEP_KUBE_QPS,
    kubeBurst: values.SIDESTEP_KUBE_BURST,
    leaseName: values.SIDESTEP_LEASE_NAME,
    leaseSeconds: values.SIDESTEP_LEASE_SECONDS,
    healthHost: values.SIDESTEP_HEALTH_HOST,
    healthPort: values.SIDESTEP_HEALTH_PORT,
    logLevel: values.SIDESTEP_LOG_LEVEL,
    stopSeconds: values.SIDESTEP_STOP_SECONDS,
    instance: values.POD_NAME,
  };
}

const problem = (name: Name, value: string | undefined): string => {
  const setting: Setting = SETTINGS[name];
  return `${name}: got ${setting.secret ? 'a value that is not shown' : `"${value ?? setting.default}"`}; allowed: ${setting.allowed}`;
};

/** The text of --help. */
export function describeConfig(): string {
  const lines = Object.entries(SETTINGS as Record<string, Setting>).map(
    ([name, setting]) =>
      `  ${name}\n      ${setting.help}.\n      Allowed: ${setting.allowed}. Default: ${setting.default === '' ? 'empty' : setting.default}.`,
  );
  return [
    'sidestep-worker: plans the rollouts of SidecarSets and runs their phases.',
    '',
    'It takes no arguments but --help; everything is set by environment variables:',
    '',
    ...lines,
    '',
  ].join('\n');
}
