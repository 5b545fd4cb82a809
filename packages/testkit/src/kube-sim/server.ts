import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerAdmin } from './admin.js';
import type { Api } from './api.js';
import { noSuchPath } from './api-error.js';
import { discover } from './discovery.js';
import { codeOf, type Freezer, suffer } from './fault-gate.js';
import type { FaultRules } from './faults.js';
import { sendError, sendJson, wantsMetadata, wantsTable } from './http/answer.js';
import { parseBody, parseResourceRequest, type ResourceRequest, readBody } from './http/request.js';
import { printJson, readJson } from './json.js';
import type { RequestStats } from './stats.js';
import { partial } from './table/table.js';
import type { KubeSim, SimObject } from './types.js';
import type { WatchSink } from './watch.js';
import type { Watches } from './watches.js';

export interface ServerParts {
  api: Api;
  watches: Watches;
  rules: FaultRules;
  stats: RequestStats;
  freezer: Freezer;
  sim: () => KubeSim;
}

/** A watcher that reads so slowly loses its connection, as with a real server, instead of filling our memory. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** The HTTP surface: faults first, then the API. */
export class ApiHttpServer {
  private readonly server: Server;

  constructor(private readonly parts: ServerParts) {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => sendError(response, error));
    });
    // Longer than any client keeps a connection, so that none is closed under a request on its way.
    this.server.keepAliveTimeout = 300_000;
    this.server.requestTimeout = 0;
  }

  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => resolve(this.server.address() as AddressInfo));
    });
  }

  /** Nobody is answered any more, not even a request that is under way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://kube-sim');
    if (url.pathname.startsWith('/sim/')) return this.admin(request, response, url);
    await this.parts.freezer.wait();
    const { pathname } = url;
    if (pathname === '/readyz' || pathname === '/livez' || pathname === '/healthz') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
      return;
    }
    const found = request.method === 'GET' ? discover(this.parts.api.kinds, pathname) : undefined;
    if (found) return sendJson(response, 200, found);
    if (!pathname.startsWith('/api/') && !pathname.startsWith('/apis/')) throw noSuchPath();
    await this.resource(request, response, parseResourceRequest(this.parts.api.kinds, request.method ?? '', url));
  }

  private async resource(message: IncomingMessage, response: ServerResponse, request: ResourceRequest): Promise<void> {
    const userAgent = message.headers['user-agent'] ?? '';
    const { verb, resource, subresource, namespace, name } = request;
    const id = subresource ? `${resource.plural}/${subresource}` : resource.plural;
    const count = (code: number): void => this.parts.stats.add(verb, id, userAgent, code);
    const warnings: string[] = [];
    try {
      const fault = this.parts.rules.forRequest({
        verb,
        resource: resource.plural,
        subresource,
        namespace,
        name,
        userAgent,
      });
      if (fault && !(await suffer(fault, message, response))) return count(codeOf(fault));
      if (verb === 'watch') {
        count(200);
        return this.watch(message, response, request, userAgent);
      }
      const answer = await this.answer(request, message, warnings);
      count(answer.code);
      await this.parts.freezer.wait();
      if (fault?.kind === 'disconnectAfter') message.socket.destroy();
      else if (fault?.kind !== 'hangAfter') sendJson(response, answer.code, answer.text, warnings);
    } catch (error) {
      count(sendError(response, error, warnings));
    }
  }

  private async answer(
    request: ResourceRequest,
    message: IncomingMessage,
    warnings: string[],
  ): Promise<{ code: number; text: string }> {
    const { reads } = this.parts.api;
    if (request.verb === 'get') return { code: 200, text: await reads.get(request, wantsTable(message)) };
    if (request.verb === 'list') return { code: 200, text: await reads.list(request, wantsTable(message)) };
    const { code, text } = await this.parts.api.write(request, message, warnings);
    const isObject = ['create', 'update', 'patch'].includes(request.verb);
    if (!isObject || !wantsMetadata(message)) return { code, text };
    return { code, text: printJson(partial(readJson(text) as SimObject)) };
  }

  private watch(message: IncomingMessage, response: ServerResponse, request: ResourceRequest, userAgent: string): void {
    const { watches, freezer } = this.parts;
    const sink: WatchSink = {
      write: (lines) =>
        freezer.run(() => {
          if (response.writableLength > MAX_UNREAD_BYTES) message.socket.destroy();
          else response.write(lines);
        }),
      end: () => freezer.run(() => response.end()),
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const end = watches.start(request, userAgent, wantsTable(message), sink, () => message.socket.destroy());
    response.once('close', end);
  }

  private async admin(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = parseBody(await readBody(request), 'application/json');
    sendJson(response, 200, answerAdmin(this.parts.sim(), request.method ?? '', url.pathname, body));
  }
}
