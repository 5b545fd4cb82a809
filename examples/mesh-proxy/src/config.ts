/** What the proxy is told by its environment. */
export interface MeshConfig {
  /** MESH_LISTEN: `host:port`, HTTP/1.1 and HTTP/2 (prior knowledge) on one port. */
  listen: string;
  /** MESH_UPSTREAM: `host:port` of the application. */
  upstream: { host: string; port: number };
  /** MESH_VERSION: answered in the header x-mesh-version. */
  version: string;
  /** MESH_STATUS: path of a Unix socket for health and status; none if empty. */
  statusPath: string;
  /** SIDECARSET_VERSION above SIDECARSET_VERSION_ALT above 0: this container was told to take over from the other one. */
  succeeds: boolean;
  /** MESH_FAULT: what goes wrong, for demonstrations. */
  fault: Fault;
}

/**
 * `crash-before`: exits before it asks for the sockets · `crash-ready`: has the sockets, exits before it serves · `crash-after`: exits
 * shortly after it took over · `hang-before`, `hang-ready`, `hang-after`: stops (SIGSTOP) at those points · `slow`: 3 s to initialise ·
 * `slower`: a minute · `none`.
 */
export type Fault =
  | 'none'
  | 'crash-before'
  | 'crash-ready'
  | 'crash-after'
  | 'hang-before'
  | 'hang-ready'
  | 'hang-after'
  | 'slow'
  | 'slower';

const FAULTS: Fault[] = [
  'none',
  'crash-before',
  'crash-ready',
  'crash-after',
  'hang-before',
  'hang-ready',
  'hang-after',
  'slow',
  'slower',
];

/** @throws TypeError naming the variable, what it got and what is allowed. */
export function readConfig(env: NodeJS.ProcessEnv): MeshConfig {
  const fault = (env.MESH_FAULT || 'none') as Fault;
  if (!FAULTS.includes(fault)) throw new TypeError(`MESH_FAULT is "${fault}"; allowed are ${FAULTS.join(', ')}`);
  return {
    listen: env.MESH_LISTEN ?? '127.0.0.1:15001',
    upstream: readAddress('MESH_UPSTREAM', env.MESH_UPSTREAM ?? '127.0.0.1:8080'),
    version: env.MESH_VERSION ?? 'dev',
    statusPath: env.MESH_STATUS ?? '',
    succeeds:
      Number(env.SIDECARSET_VERSION_ALT) > 0 && Number(env.SIDECARSET_VERSION) > Number(env.SIDECARSET_VERSION_ALT),
    fault,
  };
}

function readAddress(name: string, value: string): { host: string; port: number } {
  const parts = /^(.+):(\d{1,5})$/.exec(value);
  if (!parts) throw new TypeError(`${name} is "${value}"; allowed is host:port`);
  return { host: parts[1]!.replace(/^\[|\]$/g, ''), port: Number(parts[2]) };
}
