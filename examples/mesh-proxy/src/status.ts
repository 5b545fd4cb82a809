import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { Takeover } from '@sidestep/migration-agent';
import type { ProxyCounters } from './proxy.js';

/**
 * Health and status on a private Unix socket: `/healthz` is 200 while this very process serves (a probe through the shared port would
 * be answered by either version), `/status` is the agent's status with the proxy's counters.
 */
export function serveStatus(path: string, agent: Takeover, counters: ProxyCounters): Server {
  const server = createServer((request, answer) => {
    const status = agent.status();
    if (request.url === '/healthz') answer.writeHead(status.role === 'owner' ? 200 : 503).end(`${status.role}\n`);
    else answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...status, counters }));
  });
  server.unref();
  if (path) {
    rmSync(path, { force: true });
    server.listen(path);
  }
  return server;
}
