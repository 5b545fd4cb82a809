import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { AgentError, takeover } from '@sidestep/migration-agent';
import { readConfig } from './config.js';
import { faultAt } from './fault.js';
import { type ProxyCounters, proxyHandler } from './proxy.js';
import { serveStatus } from './status.js';
import { Upstream } from './upstream.js';
import { warmUp } from './warm-up.js';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  await faultAt('before', config.fault);
  // At length only with a predecessor that serves meanwhile.
  await warmUp(config.version, config.succeeds ? 160 : 8);
  const counters: ProxyCounters = { requests: 0, upstreamErrors: 0 };
  const agent = await takeover({
    listeners: { mesh: config.listen },
    version: config.version,
    counters: () => ({ ...counters }),
  });
  agent.on('counters', (delta) => {
    counters.requests += delta.requests ?? 0;
    counters.upstreamErrors += delta.upstreamErrors ?? 0;
  });
  const upstream = new Upstream(config.upstream.host, config.upstream.port);
  const handler = proxyHandler(upstream, config.version, counters);
  // Clients decide when an idle connection ends: closed from here, it may meet a request under way, of which a machine that stood
  // still for so long has many. Only one that was forgotten for an hour is.
  const http1 = createServer({ keepAliveTimeout: 3_600_000, requestTimeout: 0 }, handler);
  agent.serve('mesh', http1, { h2c: createHttp2Server(handler) });
  const status = serveStatus(config.statusPath, agent, counters);
  await faultAt('ready', config.fault);
  await agent.ready();
  void faultAt('after', config.fault);
  await agent.done;
  status.close();
  upstream.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof AgentError && error.code === 'STOPPED') process.exit(0);
    process.stderr.write(`mesh-proxy: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
