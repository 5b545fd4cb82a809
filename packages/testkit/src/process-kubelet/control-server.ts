import { chmod } from 'node:fs/promises';
import http from 'node:http';
import type { ContainerRef, KubeletFaults, RunningContainer } from './options.js';

const BODY_LIMIT = 64 * 1024;

type Route = (body: Record<string, unknown>) => unknown;

/**
 * Serves the faults on a unix socket (mode 0600): `GET /containers`, and `POST` with a JSON body to `/freeze`, `/thaw`, `/lose-node`,
 * `/signal {namespace, pod, container, signal, all?}`, `/fail-pulls {image, fail?}`, `/slow-pulls {image, ms}`. Every answer is JSON.
 */
export async function startControlServer(
  socketPath: string,
  faults: KubeletFaults,
  containers: () => RunningContainer[],
): Promise<http.Server> {
  const routes: Record<string, Route> = {
    'GET /containers': () => containers(),
    'POST /freeze': () => faults.freeze(),
    'POST /thaw': () => faults.thaw(),
    'POST /lose-node': () => faults.loseNode(),
    'POST /signal': (body) => {
      const send = body.all === true ? faults.signalAll : faults.signal;
      return { pid: send(containerRef(body), text(body, 'signal') as NodeJS.Signals) };
    },
    'POST /fail-pulls': (body) => faults.failPulls(text(body, 'image'), body.fail !== false),
    'POST /slow-pulls': (body) => faults.slowPulls(text(body, 'image'), Number(body.ms)),
  };
  const server = http.createServer((request, response) => {
    const answer = (status: number, content: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(content ?? {})}\n`);
    };
    const route = routes[`${request.method} ${request.url}`];
    if (!route) return answer(404, { error: `no route ${request.method} ${request.url}` });
    readJson(request)
      .then(route)
      .then(
        (content) => answer(200, content),
        (error: unknown) => answer(400, { error: error instanceof Error ? error.message : String(error) }),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  return server;
}

async function readJson(request: http.IncomingMessage): Promise<Record<string, unknown>> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > BODY_LIMIT) throw new RangeError('the body is too long');
  }
  const value: unknown = body.trim() === '' ? {} : JSON.parse(body);
  if (typeof value !== 'object' || value === null) throw new TypeError('wanted a JSON object');
  return value as Record<string, unknown>;
}

function text(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  return value;
}

const containerRef = (body: Record<string, unknown>): ContainerRef => ({
  namespace: text(body, 'namespace'),
  pod: text(body, 'pod'),
  container: text(body, 'container'),
});
