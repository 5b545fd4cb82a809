import { once } from 'node:events';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { SLOW_TEST_MS, serving, useStage } from '../stage.js';
import { type AdapterRoom, type AdapterRun, adapterContract, get } from './adapter.contract.js';

const EXAMPLE = fileURLToPath(new URL('../../../../examples/socket-activation/node/server.mjs', import.meta.url));

const run = (label: string, { port, upstreamPort }: AdapterRoom): AdapterRun => ({
  options: ['--listen', `web=127.0.0.1:${port}`, '--ready', 'log:^serving web$'],
  command: [process.execPath, EXAMPLE],
  env: { VERSION: label, UPSTREAM: `http://127.0.0.1:${upstreamPort}`, UPSTREAM_PATH: '/held' },
});

adapterContract({
  adapter: 'activation',
  version: run,
  unready: (room) => ({ ...run('unready', room), command: ['sleep', '60'] }),
  broken: (room) => ({ ...run('broken', room), command: ['false'] }),
});

describe('a Node program that takes LISTEN_FDS', () => {
  const stage = useStage();

  test(
    'does not wait for a client that has never said anything',
    async () => {
      const { pod, upstream } = stage;
      const { options = [], command, env = {} } = run('v1', { ...pod, upstreamPort: upstream.port });
      // Nobody but the program ends the connection.
      const patient = { ...env, SIDESTEP_DRAIN_SECONDS: '600' };
      const only = await serving(pod.agent(['run', ...options, '--', ...command], patient));
      const client = createConnection(pod.port, '127.0.0.1').on('error', () => undefined);
      let said = '';
      client.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
      await once(client, 'connect');
      // Accepted in order: the silent one, too, is the program's by now.
      expect(await get(pod.port, '/')).toBe('v1');
      only.child.kill('SIGTERM');
      expect((await only.exited).code).toBe(0);
      // Node itself would do it a minute later, and answer 408.
      expect(said).toBe('');
      client.destroy();
    },
    SLOW_TEST_MS,
  );
});
