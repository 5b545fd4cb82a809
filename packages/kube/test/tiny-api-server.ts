/** Just enough of an API server to misbehave: one collection of pods over real sockets, with faults on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject } from '../src/index.js';

export interface ReceivedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request in place of the server; `false` hands it on. */
export type Fault = (request: ReceivedRequest, response: ServerResponse) => boolean;

export class TinyApiServer {
  readonly received: ReceivedRequest[] = [];
  readonly #pods = new Map<string, KubeObject>();
  #history: { version: number; type: string; object: KubeObject }[] = [];
  #version = 100;
  #forgottenBefore = 0;
  readonly #watchers = new Set<{ response: ServerResponse; silent: boolean }>();
  readonly #faults: Fault[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  url = '';
  /** New watches are accepted and then never hear anything. */
  silent = false;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get watches(): number {
    return this.#watchers.size;
  }

  requests(what: 'list' | 'watch'): ReceivedRequest[] {
    return this.received.filter(({ query }) => (query.get('watch') === 'true') === (what === 'watch'));
  }

  /** Used for one request each, first come first served. */
  fault(...faults: Fault[]): void {
    this.#faults.push(...faults);
  }

  put(name: string, labels: Record<string, string> = {}): KubeObject {
    this.#version += 1;
    const type = this.#pods.has(name) ? 'MODIFIED' : 'ADDED';
    const metadata = { name, namespace: 'shop', labels, resourceVersion: String(this.#version) };
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata };
    this.#pods.set(name, pod);
    this.#record(type, pod);
    return pod;
  }

  remove(name: string): void {
    const pod = this.#pods.get(name);
    if (!pod) return;
    this.#version += 1;
    this.#pods.delete(name);
    this.#record('DELETED', { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) } });
  }

  /** Changes nothing but the version, as writes to other kinds do. */
  bookmark(): void {
    this.#version += 1;
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { resourceVersion: String(this.#version) } };
    this.#broadcast(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** Forgets what happened so far: older versions get 410. */
  compact(): void {
    this.#version += 1;
    this.#forgottenBefore = this.#version;
    this.#history = [];
  }

  /** Deletes without telling the watchers, as if the event had been lost. */
  removeSilently(name: string): void {
    this.#version += 1;
    this.#pods.delete(name);
  }

  /** Writes raw text to every open watch. */
  say(text: string): void {
    this.#broadcast(text);
  }

  endWatches(how: 'end' | 'cut'): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { response } of watchers) {
      if (how === 'end') response.end();
      else response.destroy();
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.received.push(received);
    const fault = this.#faults.shift();
    if (fault?.(received, response)) return;
    if (received.query.get('watch') === 'true') this.#watch(received, response);
    else if (received.path.endsWith('/pods')) this.#list(received, response);
    else this.#get(received, response);
  }

  #get(request: ReceivedRequest, response: ServerResponse): void {
    const pod = this.#pods.get(request.path.split('/').at(-1) ?? '');
    if (pod) answer(response, 200, pod);
    else answer(response, 404, status(404, 'NotFound', 'pods not found'));
  }

  #list({ query }: ReceivedRequest, response: ServerResponse): void {
    const limit = Number(query.get('limit') ?? 0);
    const start = Number(query.get('continue') ?? 0);
    const all = [...this.#pods.values()].map(({ metadata }) => ({ metadata }));
    const items = limit > 0 ? all.slice(start, start + limit) : all;
    const more = start + items.length < all.length ? { continue: String(start + items.length) } : {};
    answer(response, 200, { kind: 'PodList', metadata: { resourceVersion: String(this.#version), ...more }, items });
  }

  #watch({ query }: ReceivedRequest, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion') ?? 0);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.#forgottenBefore) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'too old') })}\n`);
      return;
    }
    const watcher = { response, silent: this.silent };
    if (!watcher.silent) {
      for (const { version, type, object } of this.#history) {
        if (version > from) response.write(`${JSON.stringify({ type, object })}\n`);
      }
    }
    this.#watchers.add(watcher);
    response.once('close', () => this.#watchers.delete(watcher));
  }

  #record(type: string, object: KubeObject): void {
    this.#history.push({ version: this.#version, type, object });
    this.#broadcast(`${JSON.stringify({ type, object })}\n`);
  }

  #broadcast(text: string): void {
    for (const { response, silent } of this.#watchers) if (!silent) response.write(text);
  }
}

export const status = (code: number, reason: string, message: string, details?: object) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
  ...(details ? { details } : {}),
});

export function answer(
  response: ServerResponse,
  code: number,
  body: object,
  headers: Record<string, string> = {},
): true {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
  return true;
}

/** Looks again and again until the condition holds; fails after the deadline, saying what it waited for. */
export async function eventually(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
