/** The one place that reads the environment. Every variable of the agent is here. */
export interface AgentConfig {
  /** SIDESTEP_DIR: the directory that only the two sidecar containers share. */
  directory: string;
  /** Tells the containers of a pod apart within the shared directory; only the hot pair's version variable differs between them. */
  slot: string;
  /** SIDECARSET_VERSION and SIDECARSET_VERSION_ALT, when both are whole numbers. A hint only: the protocol decides. */
  hint: { version: number; alternative: number } | undefined;
  /** SIDESTEP_VERSION: a label for status and logs. */
  version: string;
  /** SIDESTEP_TERMINATION_LOG: where a container says why it ended. */
  terminationLog: string;
  /** SIDESTEP_DRAIN_SECONDS: the longest drain. */
  drainMs: number | undefined;
  /** SIDESTEP_INIT_SECONDS: how long a new program may take to be ready. */
  initMs: number | undefined;
  /** SIDESTEP_GUARD_SECONDS: how long the old one can go back after the commit. */
  guardMs: number | undefined;
  /** SIDESTEP_LISTEN: `name=address` items separated by spaces, for `run`. */
  listen: string[];
  /** SIDESTEP_ADAPTER: default adapter of `run`. */
  adapter: string;
  /** SIDESTEP_READY: default of `run --ready`. */
  ready: string | undefined;
}

/** @throws TypeError naming the variable, what it got and what is allowed. */
export function readConfig(env: Record<string, string | undefined> = process.env): AgentConfig {
  const hint = readHint(env);
  const slot = env.SIDESTEP_SLOT ?? (hint ? String(hint.version) : 'main');
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(slot)) {
    throw new TypeError(`SIDESTEP_SLOT is "${slot}"; allowed are up to 32 letters, digits, "-" and "_"`);
  }
  return {
    directory: env.SIDESTEP_DIR || '/run/sidestep',
    slot,
    hint,
    version: env.SIDESTEP_VERSION ?? '',
    terminationLog: terminationLog(env),
    drainMs: seconds(env, 'SIDESTEP_DRAIN_SECONDS'),
    initMs: seconds(env, 'SIDESTEP_INIT_SECONDS'),
    guardMs: seconds(env, 'SIDESTEP_GUARD_SECONDS'),
    listen: (env.SIDESTEP_LISTEN ?? '').split(/\s+/).filter(Boolean),
    adapter: env.SIDESTEP_ADAPTER || 'activation',
    ready: env.SIDESTEP_READY || undefined,
  };
}

/** Known also when the rest cannot be read. */
export function terminationLog(env: Record<string, string | undefined> = process.env): string {
  return env.SIDESTEP_TERMINATION_LOG || '/dev/termination-log';
}

function readHint(env: Record<string, string | undefined>): AgentConfig['hint'] {
  const { SIDECARSET_VERSION: version, SIDECARSET_VERSION_ALT: alternative } = env;
  if (version === undefined || alternative === undefined) return undefined;
  if (!/^\d{1,15}$/.test(version) || !/^\d{1,15}$/.test(alternative)) return undefined;
  return { version: Number(version), alternative: Number(alternative) };
}

function seconds(env: Record<string, string | undefined>, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!(value >= 0 && value <= 86_400))
    throw new TypeError(`${name} is "${text}"; allowed are seconds from 0 to 86400`);
  return value * 1000;
}

/** What a supervised program inherits: everything. */
export function environment(): Record<string, string | undefined> {
  return process.env;
}
