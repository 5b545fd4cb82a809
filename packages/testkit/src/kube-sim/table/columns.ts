import { isPlain } from '../patch/merge-patch.js';
import type { SimObject } from '../types.js';

export interface Column {
  name: string;
  type: string;
  format?: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority?: number;
  value(object: SimObject, now: Date): unknown;
}

type Plain = Record<string, unknown>;

const plain = (value: unknown): Plain => (isPlain(value) ? value : {});
const list = (value: unknown): Plain[] => (Array.isArray(value) ? (value as Plain[]) : []);

/** `5d`, `3h12m`, `45s`: as kubectl writes ages. */
export function humanAge(since: unknown, now: Date): string {
  if (typeof since !== 'string') return '<unknown>';
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

export const NAME: Column = { name: 'Name', type: 'string', format: 'name', value: (object) => object.metadata.name };
export const AGE: Column = {
  name: 'Age',
  type: 'string',
  value: (object, now) => humanAge(object.metadata.creationTimestamp, now),
};
const CREATED_AT: Column = { name: 'Created At', type: 'date', value: (object) => object.metadata.creationTimestamp };

const column = (name: string, value: Column['value'], type = 'string', priority = 0): Column => ({
  name,
  type,
  priority,
  value,
});

const containers = (pod: SimObject): Plain[] => list(plain(pod.status).containerStatuses);

function podStatus(pod: SimObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  const status = plain(pod.status);
  for (const container of containers(pod)) {
    const { waiting, terminated } = plain(container.state);
    if (plain(waiting).reason) return String(plain(waiting).reason);
    if (plain(terminated).reason) return String(plain(terminated).reason);
  }
  return String(status.reason ?? status.phase ?? 'Unknown');
}

const podColumns: Column[] = [
  NAME,
  column(
    'Ready',
    (pod) => `${containers(pod).filter((one) => one.ready).length}/${list(plain(pod.spec).containers).length}`,
  ),
  column('Status', podStatus),
  column('Restarts', (pod) => String(containers(pod).reduce((sum, one) => sum + Number(one.restartCount ?? 0), 0))),
  AGE,
  column('IP', (pod) => plain(pod.status).podIP ?? '<none>', 'string', 1),
  column('Node', (pod) => plain(pod.spec).nodeName ?? '<none>', 'string', 1),
  column('Nominated Node', () => '<none>', 'string', 1),
  column('Readiness Gates', () => '<none>', 'string', 1),
];

function eventObject(event: SimObject): string {
  const { kind, name } = plain(event.involvedObject);
  return `${String(kind ?? '').toLowerCase()}/${name}`;
}

const nodeReady = (node: SimObject): string => {
  const ready = list(plain(node.status).conditions).find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' ? 'Ready' : ready ? 'NotReady' : 'Unknown';
};

const nodeRoles = (node: SimObject): string => {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(node.metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return roles.map((label) => label.slice(prefix.length)).join(',') || '<none>';
};

const replicas = (object: SimObject): Plain => ({ wanted: plain(object.spec).replicas ?? 1, ...plain(object.status) });
const dataCount = (object: SimObject): number => Object.keys(plain(object.data)).length;
const webhookCount = column('Webhooks', (object) => list(object.webhooks).length, 'integer');

/** Columns of built-in kinds by plural, as kubectl users know them; any other kind has name and creation time. */
export const BUILTIN_COLUMNS: Record<string, Column[]> = {
  pods: podColumns,
  namespaces: [NAME, column('Status', (object) => plain(object.status).phase), AGE],
  nodes: [
    NAME,
    column('Status', nodeReady),
    column('Roles', nodeRoles),
    AGE,
    column('Version', (node) => plain(plain(node.status).nodeInfo).kubeletVersion ?? ''),
  ],
  configmaps: [NAME, column('Data', dataCount, 'integer'), AGE],
  secrets: [NAME, column('Type', (object) => object.type), column('Data', dataCount, 'integer'), AGE],
  serviceaccounts: [NAME, AGE],
  services: [
    NAME,
    column('Type', (object) => plain(object.spec).type ?? 'ClusterIP'),
    column('Cluster-IP', (object) => plain(object.spec).clusterIP ?? '<none>'),
    column('Port(s)', (object) =>
      list(plain(object.spec).ports)
        .map((port) => `${port.port}/${port.protocol ?? 'TCP'}`)
        .join(','),
    ),
    AGE,
  ],
  events: [
    column('Last Seen', (event, now) =>
      humanAge(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp, now),
    ),
    column('Type', (event) => event.type),
    column('Reason', (event) => event.reason),
    column('Object', eventObject),
    column('Message', (event) => String(event.message ?? '').trim()),
    column('Count', (event) => event.count ?? 1, 'integer', 1),
    { ...NAME, priority: 1 },
  ],
  leases: [NAME, column('Holder', (object) => plain(object.spec).holderIdentity ?? ''), AGE],
  controllerrevisions: [
    NAME,
    column('Controller', (object) => {
      const owner = list(object.metadata.ownerReferences).find((one) => one.controller);
      return owner
        ? `${String(owner.kind).toLowerCase()}.${String(owner.apiVersion).split('/')[0]}/${owner.name}`
        : '<none>';
    }),
    column('Revision', (object) => object.revision, 'integer'),
    AGE,
  ],
  deployments: [
    NAME,
    column('Ready', (object) => `${replicas(object).readyReplicas ?? 0}/${replicas(object).wanted}`),
    column('Up-to-date', (object) => replicas(object).updatedReplicas ?? 0, 'integer'),
    column('Available', (object) => replicas(object).availableReplicas ?? 0, 'integer'),
    AGE,
  ],
  mutatingwebhookconfigurations: [NAME, webhookCount, AGE],
  validatingwebhookconfigurations: [NAME, webhookCount, AGE],
  customresourcedefinitions: [NAME, CREATED_AT],
};

export const DEFAULT_COLUMNS = [NAME, CREATED_AT];
