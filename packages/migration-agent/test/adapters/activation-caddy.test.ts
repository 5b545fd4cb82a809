import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '@jest/globals';
import { findCaddy, leaveOut } from '@sidestep/testkit';
import { type AdapterRoom, type AdapterRun, adapterContract } from './adapter.contract.js';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/socket-activation/caddy/Caddyfile', import.meta.url));

const caddy = await findCaddy({ download: false }).catch((missing: Error) => missing);

if (caddy instanceof Error) {
  const why = caddy.message;
  test('Caddy is left out, with the reason', () => leaveOut('socket activation of Caddy', why));
} else {
  const run = (label: string, { directory, port, upstreamPort }: AdapterRoom, config = EXAMPLE): AdapterRun => ({
    options: ['--listen', `web=127.0.0.1:${port}`],
    command: [caddy, 'run', '--adapter', 'caddyfile', '--config', config],
    env: {
      VERSION: label,
      UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
      UPSTREAM_PATH: '/held',
      XDG_DATA_HOME: directory,
      XDG_CONFIG_HOME: directory,
    },
  });
  adapterContract({
    adapter: 'activation',
    version: run,
    unready: (room) => ({ ...run('unready', room), command: ['sleep', '60'] }),
    broken: (room) => run('broken', room, join(room.directory, 'no-such-file')),
    mayCut: 'any connection',
    keepsSocketsOpen: true,
  });
}
