import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeConnection } from '@sidestep/kube';
import { answerAdmin } from '../kube-sim/admin.js';
import { tooOld } from '../kube-sim/api-error.js';
import { codeOf, Freezer, faultControl, suffer } from '../kube-sim/fault-gate.js';
import { type FaultControl, FaultRules, type FaultSubject, seededRandom } from '../kube-sim/faults.js';
import { sendError, sendJson } from '../kube-sim/http/answer.js';
import { parseBody, readBody } from '../kube-sim/http/request.js';
import { renderKubeconfig } from '../kube-sim/kubeconfig.js';
import { RequestStats } from '../kube-sim/stats.js';
import type { RequestCount } from '../kube-sim/types.js';
import { subjectOf } from './subject.js';
import { Upstream, wholeOf } from './upstream.js';
import { relayWatch } from './watch-relay.js';

export interface FaultProxyOptions {
  /** The API server behind it, as a user who may impersonate others. */
  connection: KubeConnection;
  /** Default 0: any free port of 127.0.0.1. */
  port?: number;
  seed?: number;
}

/** An API server with faults: everything goes to the one behind, unless a rule strikes. */
export interface FaultProxy {
  url: string;
  faults: FaultControl;
  /** A kubeconfig of this user, whose rights are those he has behind the proxy; without a name, of the proxy's own user. */
  kubeconfigFor(user?: string): string;
  stats(): { requests: RequestCount[] };
  stop(): Promise<void>;
}

/** Starts a proxy with the faults of kube-sim, also under `/sim/...`, for any API server. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new ApiServerProxy(options);
  await proxy.listen(options.port ?? 0);
  return proxy;
}

/** Hop-by-hop headers, and those that Node writes itself. */
const OWN_HEADERS = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'host',
  'authorization',
  'accept-encoding',
];

class ApiServerProxy implements FaultProxy {
  readonly faults: FaultControl;
  private readonly rules: FaultRules;
  private readonly freezer = new Freezer();
  private readonly counts = new RequestStats();
  private readonly upstream: Upstream;
  private readonly watches = new Map<ServerResponse, string>();
  private readonly server = createServer((request, response) => {
    this.handle(request, response).catch((error: unknown) => sendError(response, error));
  });
  /** Whoever resumes from up to here is told that it is too old. */
  private compacted: Promise<number> = Promise.resolve(0);

  constructor({ connection, seed = 1 }: FaultProxyOptions) {
    this.upstream = new Upstream(connection);
    this.rules = new FaultRules(seededRandom(seed));
    this.server.keepAliveTimeout = 300_000;
    this.server.requestTimeout = 0;
    this.faults = faultControl(this.rules, this.freezer, {
      cutWatches: (resource) => this.cut(resource),
      compact: () => {
        this.compacted = this.upstream.currentVersion();
      },
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  kubeconfigFor(user?: string): string {
    const cluster = { server: this.url, 'insecure-skip-tls-verify': true };
    return renderKubeconfig('fault-proxy', cluster, user ? { token: user } : {});
  }

  stats(): { requests: RequestCount[] } {
    return { requests: this.counts.list() };
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
    });
  }

  stop(): Promise<void> {
    this.freezer.thaw();
    this.upstream.close();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private cut(resource: string | undefined): number {
    const struck = [...this.watches].filter(([, plural]) => resource === undefined || plural === resource);
    for (const [response] of struck) response.destroy();
    return struck.length;
  }

  private async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', 'http://proxy');
    if (url.pathname.startsWith('/sim/')) return this.admin(message, response, url);
    const body = await readBody(message);
    await this.freezer.wait();
    const subject = subjectOf(message.method ?? '', url, message.headers['user-agent'] ?? '');
    const count = (code: number): void => {
      if (subject) this.counts.add(subject.verb, idOf(subject), subject.userAgent, code);
    };
    const fault = subject && this.rules.forRequest(subject);
    if (fault && !(await suffer(fault, message, response))) return count(codeOf(fault));
    if (subject?.verb === 'watch' && (await this.refusesOldWatch(response, url))) return count(200);
    const upstream = await this.upstream
      .send({ method: message.method ?? '', path: message.url ?? '/', headers: forwarded(message), body })
      .catch(() => undefined);
    if (!upstream) {
      message.socket.destroy();
      return count(0);
    }
    count(upstream.statusCode ?? 0);
    if (subject?.verb === 'watch' && upstream.statusCode === 200) return this.watch(upstream, response, subject);
    const answer = await wholeOf(upstream);
    await this.freezer.wait();
    if (fault?.kind === 'disconnectAfter') message.socket.destroy();
    else if (fault?.kind !== 'hangAfter')
      response.writeHead(upstream.statusCode ?? 500, withoutOwn(upstream.headers)).end(answer);
  }

  /** As if the history up to the last `compact()` were gone: an ERROR event, as a real server sends it. */
  private async refusesOldWatch(response: ServerResponse, url: URL): Promise<boolean> {
    const asked = Number(url.searchParams.get('resourceVersion') ?? 0);
    const compacted = await this.compacted;
    if (asked === 0 || asked > compacted) return false;
    const event = { type: 'ERROR', object: tooOld(asked, compacted).toStatus() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(event)}\n`);
    return true;
  }

  private watch(upstream: IncomingMessage, response: ServerResponse, subject: FaultSubject): void {
    response.writeHead(200, withoutOwn(upstream.headers));
    response.flushHeaders();
    this.watches.set(response, subject.resource);
    response.once('close', () => this.watches.delete(response));
    relayWatch(upstream, response, subject, this.rules, this.freezer);
  }

  private async admin(message: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = parseBody(await readBody(message), 'application/json');
    const steerable = {
      faults: this.faults,
      stats: () => this.stats(),
      resetStats: () => this.counts.reset(),
      setService: () => undefined,
    };
    sendJson(response, 200, answerAdmin(steerable, message.method ?? '', url.pathname, body));
  }
}

const idOf = ({ resource, subresource }: FaultSubject): string =>
  subresource ? `${resource}/${subresource}` : resource;

const withoutOwn = (headers: NodeJS.Dict<string | string[]>): OutgoingHttpHeaders =>
  Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== undefined && !OWN_HEADERS.includes(name)),
  );

/** The token of the client's kubeconfig is a user's name; the server behind applies the rights of that user. */
function forwarded(message: IncomingMessage): OutgoingHttpHeaders {
  const headers = withoutOwn(message.headers);
  const user = /^Bearer (.+)$/.exec(message.headers.authorization ?? '')?.[1];
  if (!user) return headers;
  const [, , namespace] = user.split(':');
  const account = user.startsWith('system:serviceaccount:');
  const groups = account ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] : [];
  return { ...headers, 'impersonate-user': user, 'impersonate-group': [...groups, 'system:authenticated'] };
}
