import { mkdtemp } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type BoundProcess, startBoundProcess } from '../bound-process/bound-process.js';
import { freePort } from '../bound-process/free-port.js';
import { until } from '../bound-process/until.js';
import { runCommand } from '../ensure/run-command.js';
import { removeScratch } from '../scratch/remove-scratch.js';
import { type ApiServerBinaries, ensureApiServerBinaries } from './binaries.js';
import type { CertificatePair } from './certificates.js';
import { Credentials } from './credentials.js';

export interface RealApiServerOptions {
  /** May missing programs be built and fetched? Default false. */
  download?: boolean;
  /** Further flags of kube-apiserver. */
  flags?: string[];
}

/** A running etcd and kube-apiserver, both on loopback and gone with this process. */
export interface RealApiServer {
  url: string;
  /** PEM of the authority that signed the server's certificate. */
  ca: string;
  /** Path of a kubeconfig of the group system:masters. */
  kubeconfig: string;
  binaries: ApiServerBinaries;
  apiServerPid: number;
  etcdPid: number;
  /** Path of a kubeconfig for a user, who may do what RBAC says. */
  kubeconfigFor(user: string, groups?: readonly string[]): Promise<string>;
  /**
   * For a program in a pod: with a token of its service account, which is created where it is missing. The namespace must exist.
   * It is what real ones have, and costs the API server less than a certificate, which it verifies in every call.
   */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>;
  /** A namespace with its default service account, which no controller makes here. An existing one is fine. */
  createNamespace(name: string): Promise<void>;
  /** Runs kubectl as the administrator, e.g. `kubectl('apply', '--server-side', '-k', folder)`; rejects with what it complained of. */
  kubectl(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 240_000;
const ADMIN_GROUP = 'system:masters';
const TOKEN_LIFETIME_S = 24 * 3600;

/** Starts them in a few seconds, from an empty store. Rejects with `ApiServerBinariesMissing` when programs are missing. */
export async function startRealApiServer(options: RealApiServerOptions = {}): Promise<RealApiServer> {
  const binaries = await ensureApiServerBinaries({ download: options.download ?? false });
  const folder = await mkdtemp(path.join(tmpdir(), 'sidestep-api-server-'));
  const started: BoundProcess[] = [];
  const stop = async (): Promise<void> => {
    // Asked politely, kube-apiserver waits a minute for its watches; nothing here is worth waiting for.
    for (const one of started.reverse()) one.kill('SIGKILL');
    await Promise.all(started.map((one) => one.exited));
    await removeScratch(folder);
  };
  try {
    const credentials = await Credentials.create(folder);
    const etcd = await startEtcd(binaries.etcd, folder, started);
    const port = await freePort();
    const flags = [...apiServerFlags(credentials, port, etcd.url), ...(options.flags ?? [])];
    const server = await startBoundProcess(binaries.kubeApiserver, flags);
    started.push(server);
    return await ready(credentials, binaries, `https://127.0.0.1:${port}`, server, etcd.process, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEtcd(
  program: string,
  folder: string,
  all: BoundProcess[],
): Promise<{ process: BoundProcess; url: string }> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const started = await startBoundProcess(program, [
    '--name=n',
    `--data-dir=${path.join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=error',
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=n=${peerUrl}`,
  ]);
  all.push(started);
  await until(() => alive(started, 'etcd') && listens(client), 'etcd');
  return { process: started, url };
}

const apiServerFlags = (credentials: Credentials, port: number, etcd: string): string[] => [
  `--etcd-servers=${etcd}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${port}`,
  `--tls-cert-file=${credentials.file('server.crt')}`,
  `--tls-private-key-file=${credentials.file('server.key')}`,
  `--client-ca-file=${credentials.file('ca.crt')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${credentials.file('sa.pub')}`,
  `--service-account-signing-key-file=${credentials.file('sa.key')}`,
  '--service-cluster-ip-range=10.0.0.0/24',
  '--authorization-mode=Node,RBAC',
  '--endpoint-reconciler-type=none',
  '--disable-admission-plugins=TaintNodesByCondition',
  '--allow-privileged=true',
];

async function ready(
  credentials: Credentials,
  binaries: ApiServerBinaries,
  url: string,
  server: BoundProcess,
  etcd: BoundProcess,
  stop: () => Promise<void>,
): Promise<RealApiServer> {
  const admin = await credentials.client('sidestep-admin', [ADMIN_GROUP]);
  const call = (method: string, at: string, body?: object): Promise<Answer> =>
    request(`${url}${at}`, credentials.authority.certificate, admin, method, body);
  await until(
    async () => alive(server, 'kube-apiserver') && (await call('GET', '/readyz')).status === 200,
    'kube-apiserver',
    READY_DEADLINE_MS,
  );
  const kubeconfigFor = async (user: string, groups: readonly string[] = []): Promise<string> =>
    credentials.kubeconfig(user, url, await credentials.client(user, groups));
  const createNamespace = async (name: string): Promise<void> => {
    await create(call, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await createAccount(call, name, 'default');
  };
  await createNamespace('default');
  const kubeconfig = await credentials.kubeconfig('admin', url, admin);
  return {
    url,
    ca: credentials.authority.certificate,
    kubeconfig,
    binaries,
    apiServerPid: server.pid,
    etcdPid: etcd.pid,
    kubeconfigFor,
    kubeconfigForServiceAccount: async (namespace, name) => {
      const token = await tokenFor(call, namespace, name);
      return credentials.kubeconfigWithToken(`${namespace}-${name}`, url, token);
    },
    createNamespace,
    kubectl: (...args) => runKubectl(binaries.kubectl, kubeconfig, args),
    stop,
  };
}

async function runKubectl(program: string, kubeconfig: string, args: readonly string[]): Promise<string> {
  const cache = path.join(path.dirname(kubeconfig), 'discovery');
  const { code, stdout, complaint } = await runCommand(program, [
    '--kubeconfig',
    kubeconfig,
    '--cache-dir',
    cache,
    ...args,
  ]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${complaint}`);
  return stdout;
}

function createAccount(call: Call, namespace: string, name: string): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  return create(call, `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
}

/** Of the TokenRequest API, as a kubelet asks for it (kubernetes.io, "Managing Service Accounts"). */
async function tokenFor(call: Call, namespace: string, name: string): Promise<string> {
  await createAccount(call, namespace, name);
  const spec = { expirationSeconds: TOKEN_LIFETIME_S };
  const wanted = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const at = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await call('POST', at, wanted);
  if (status !== 201) throw new Error(`POST ${at}: ${status} ${body}`);
  return (JSON.parse(body) as { status: { token: string } }).status.token;
}

/** An object that exists is fine. */
async function create(call: Call, at: string, body: object): Promise<void> {
  const code = await until(async () => {
    const { status } = await call('POST', at, body);
    return [201, 409, 404].includes(status) ? status : undefined;
  }, `POST ${at}`);
  if (code === 404) throw new Error(`POST ${at}: not found`);
}

function alive(one: BoundProcess, name: string): true {
  try {
    process.kill(one.pid, 0);
    return true;
  } catch {
    throw new Error(`${name} ended: ${one.output().trim()}`);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

interface Answer {
  /** 0 when there was none. */
  status: number;
  body: string;
}

type Call = (method: string, at: string, body?: object) => Promise<Answer>;

function request(
  url: string,
  ca: string,
  { certificate, key }: CertificatePair,
  method: string,
  body?: object,
): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = https.request(
      url,
      { method, ca, cert: certificate, key, agent: false, headers: { 'content-type': 'application/json' } },
      (response) => {
        void text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, body }),
          () => resolve({ status: 0, body: '' }),
        );
      },
    );
    sent.once('error', () => resolve({ status: 0, body: '' }));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
