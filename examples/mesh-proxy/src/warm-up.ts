import { Agent, createServer, request, type Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { rehearse } from '@sidestep/migration-agent';
import { proxyHandler } from './proxy.js';
import { Upstream } from './upstream.js';

const AT_ONCE = 4;
/** A machine on which this takes longer has no time to spare for it. */
const AT_THE_LATEST_MS = 400;

/**
 * Plays a hand-over, and answers `requests` of its own over loopback with an application that only echoes: a process that was just
 * started needs many times longer for each, and so its first clients wait for code to be loaded and compiled.
 */
export async function warmUp(version: string, requests: number): Promise<void> {
  const until = performance.now() + AT_THE_LATEST_MS;
  const app = await listening(createServer((incoming, answer) => void incoming.pipe(answer)));
  const upstream = new Upstream('127.0.0.1', (app.address() as AddressInfo).port);
  const handler = proxyHandler(upstream, version, { requests: 0, upstreamErrors: 0 });
  const pool = new Agent({ keepAlive: true });
  let left = requests;
  await rehearse({
    serve: (end) => end.serve('rehearsal', createServer(handler), { h2c: createHttp2Server(handler) }),
    visit: async (port) => {
      const last = left / 2;
      const client = async (): Promise<void> => {
        while (left > last && performance.now() < until) await ask(port, left-- % 4 === 0 ? false : pool);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, client));
      left = last;
    },
  });
  pool.destroy();
  upstream.close();
  app.close();
  app.closeAllConnections();
}

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
