import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Says why something is not well; `undefined` when it is. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

export interface HealthServerOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** Failing ones make kubelet restart the container. */
  live?: Record<string, HealthCheck>;
  /** Failing ones take the pod out of its Services. */
  ready?: Record<string, HealthCheck>;
  /** Prometheus text, served at /metrics. */
  metrics?: { contentType: string; metrics(): Promise<string> };
  /** Further GET routes by path, whose results are served as JSON. */
  json?: Record<string, () => unknown>;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

/** /livez, /readyz and /metrics of one process, in the form of a Kubernetes component: one line per check, with reasons. */
export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #server: Server;
  #draining = false;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.requestTimeout = 10_000;
  }

  /** Listens; resolves with the address to ask. Rejects when the port is taken. */
  async start(): Promise<{ host: string; port: number; url: string }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => resolve());
    });
    const { address, port, family } = this.#server.address() as AddressInfo;
    return { host: address, port, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}` };
  }

  /** From now on not ready: the process is about to stop and no new work should be sent to it. */
  drain(): void {
    this.#draining = true;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answer(request).catch((error: unknown) => failure(error));
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET\n');
    const path = (request.url ?? '/').split('?', 1)[0] as string;
    const { live = {}, ready = {}, metrics, json = {} } = this.#options;
    if (path === '/livez' || path === '/healthz') return report(live);
    if (path === '/readyz')
      return report(this.#draining ? { ...ready, draining: () => 'the process is stopping' } : ready);
    if (path === '/metrics' && metrics)
      return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
    const route = Object.hasOwn(json, path) ? json[path] : undefined;
    if (route) return { status: 200, type: 'application/json', body: JSON.stringify(await route()) };
    return text(404, 'not found\n');
  }
}

async function report(checks: Record<string, HealthCheck>): Promise<Answer> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await run(check)] as const),
  );
  const lines = results.map(([name, reason]) =>
    reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`,
  );
  const well = results.every(([, reason]) => reason === undefined);
  return text(well ? 200 : 503, `${[...lines, well ? 'ok' : 'not ok'].join('\n')}\n`);
}

/** A check that throws has failed; it does not take the server with it. */
async function run(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const text = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body });

const failure = (error: unknown): Answer => text(500, `${error instanceof Error ? error.message : String(error)}\n`);
