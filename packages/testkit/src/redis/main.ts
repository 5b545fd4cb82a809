import { startRedis } from './redis.js';

// `node redis/main.js [--persistent] [--with-stdin]`: a private Redis until SIGTERM; with the flag also until our stdin ends.
const redis = await startRedis({ persistent: process.argv.includes('--persistent') }).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
console.log(JSON.stringify({ url: redis.url, owned: redis.owned, pid: redis.pid() ?? null }));

const keepAlive = setInterval(() => undefined, 60_000);
const end = (): void => {
  clearInterval(keepAlive);
  void redis.stop().then(() => process.exit(0));
};
process.once('SIGTERM', end);
process.once('SIGINT', end);
if (process.argv.includes('--with-stdin')) process.stdin.once('end', end).resume();
