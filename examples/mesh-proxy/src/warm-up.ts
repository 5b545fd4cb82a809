import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { proxyHandler } from './proxy.js';
import { Upstream } from './upstream.js';

const MOST_REQUESTS = 150;
const AT_ONCE = 4;
/** A machine on which this takes longer has no time to spare for it. */
const AT_THE_LATEST_MS = 400;

/**
 * Answers requests of its own, over loopback and with an application that only echoes, so that the first requests of real clients
 * do not wait for code to be loaded and compiled: a process that was just started needs many times longer for each.
 *
 * To be done before the sockets are asked for, while the old process still serves.
 */
export async function warmUp(version: string): Promise<void> {
  const until = performance.now() + AT_THE_LATEST_MS;
  const app = await listening(createServer((incoming, answer) => void incoming.pipe(answer)));
  const upstream = new Upstream('127.0.0.1', portOf(app));
  const handler = proxyHandler(upstream, version, { requests: 0, upstreamErrors: 0 });
  const proxy = await listening(createServer(handler));
  const pool = new Agent({ keepAlive: true });
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent++ < MOST_REQUESTS && performance.now() < until) await ask(portOf(proxy), sent % 4 === 0 ? false : pool);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  pool.destroy();
  upstream.close();
  for (const server of [proxy, app]) {
    server.close();
    server.closeAllConnections();
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const listening = (server: Server): Promise<Server> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  });

let turn = 0;

/** A GET or a POST by turns; how it ends does not matter. */
function ask(port: number, agent: Agent | false): Promise<void> {
  turn += 1;
  const body = turn % 2 === 0 ? 'x'.repeat(256) : '';
  return new Promise((resolve) => {
    const method = body ? 'POST' : 'GET';
    const headers = body ? { 'content-length': body.length } : {};
    request({ host: '127.0.0.1', port, method, headers, agent }, (response) => response.resume().once('close', resolve))
      .once('error', () => resolve())
      .end(body);
  });
}
