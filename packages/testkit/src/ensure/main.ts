import { findEnvoys } from '../envoy/envoy.js';
import { ensureApiServerBinaries } from '../real-api-server/binaries.js';
import { findRedisServer } from '../redis/redis-server.js';
import { progress } from './cache.js';
import { findArm64 } from './foreign-node.js';
import { findMosn } from './mosn.js';
import { findCaddy, findProxy } from './proxies.js';
import { findZig } from './zig.js';

// `npm test -- --all` runs this first: gets every program that a suite would otherwise be left out for, and fails where it cannot.
const failures: string[] = [];
const attempt = async (what: string, get: () => Promise<unknown>): Promise<void> => {
  try {
    await get();
    progress(`have ${what}`);
  } catch (error) {
    failures.push((error as Error).message);
  }
};

if (!process.env.REDIS_URL) await attempt('a Redis server', () => findRedisServer(true));
await attempt('kube-apiserver, etcd and kubectl', () => ensureApiServerBinaries({ download: true }));
await attempt('Envoy 1.36 and 1.40', () => findEnvoys({ download: true }));
for (const proxy of ['nginx', 'haproxy'] as const) await attempt(proxy, () => findProxy(proxy, { download: true }));
await attempt('Caddy', () => findCaddy({ download: true }));
await attempt('MOSN', () => findMosn({ download: true }));
await attempt('Zig', () => findZig({ download: true }));
await attempt('Node for arm64', () => findArm64({ download: true }));
for (const failure of failures) progress(`MISSING: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
