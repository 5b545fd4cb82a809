import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from '../load.js';
import { type Fixture, freePort, Pod } from '../processes.js';
import { type AdapterRoom, type AdapterRun, adapterContract, get } from './adapter.contract.js';
import { withRealProxy } from './real-program.js';

interface Configuration {
  name: string;
  bind: string;
  says: string;
  upstreamPort?: number;
  global?: string;
}

function configure(directory: string, { name, bind, says, upstreamPort, global = '' }: Configuration): string {
  const file = join(directory, `${name}.cfg`);
  const held = upstreamPort === undefined ? '' : `server held 127.0.0.1:${upstreamPort}`;
  writeFileSync(
    file,
    `global
  maxconn 500
  ${global}
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 2s
frontend main
  bind ${bind}
  http-request return status 200 content-type text/plain string ${says} unless { path /held }
  default_backend upstream
backend upstream
  ${held}
`,
  );
  return file;
}

const isOwner = ({ role }: { role?: string }) => role === 'owner';

await withRealProxy('haproxy', (program) => {
  const run = (room: AdapterRoom, configuration: Partial<Configuration> & { says: string }): AdapterRun => ({
    options: ['--listen', `web=127.0.0.1:${room.port}`],
    command: [
      program,
      '-f',
      configure(room.directory, {
        name: configuration.says,
        bind: '"fd@$SIDESTEP_FD_WEB"',
        upstreamPort: room.upstreamPort,
        ...configuration,
      }),
    ],
  });

  adapterContract({
    adapter: 'haproxy',
    version: (label, room) => run(room, { says: label }),
    unready: (room) => {
      const hangs = join(room.directory, 'hangs');
      writeFileSync(hangs, '#!/bin/sh\nexec sleep 60\n');
      chmodSync(hangs, 0o755);
      return { ...run(room, { says: 'unready' }), command: [hangs] };
    },
    broken: (room) => run(room, { says: 'broken', global: 'no-such-keyword' }),
    cutsKeptConnections: true,
  });

  describe('HAProxy under the agent', () => {
    let pod: Pod;
    beforeEach(async () => {
      pod = await Pod.create();
    });
    afterEach(() => pod.close());

    const agent = (configuration: Configuration, options: string[] = [], listen = web()): Fixture =>
      pod.container(
        [
          'run',
          '--adapter',
          'haproxy',
          ...listen,
          '--',
          program,
          ...options,
          '-f',
          configure(pod.directory, configuration),
        ],
        { SIDESTEP_GUARD_SECONDS: '1' },
      );
    const web = (): string[] => ['--listen', `web=127.0.0.1:${pod.port}`];
    const plain = (says: string): Configuration => ({ name: says, bind: 'fd@3', says });

    test('as master and worker it hands over the same', async () => {
      const first = agent(plain('v1'), ['-W']);
      await first.heard(isOwner);
      const load = new Load({ port: pod.port, short: 4, pauseMs: 2 });
      await load.answered(20);
      await agent(plain('v2'), ['-W', '-db']).heard(isOwner);
      expect((await first.exited).code).toBe(0);
      await load.answered(20);
      const { refused, otherErrors } = await load.stop();
      expect({ refused, otherErrors }).toEqual({ refused: 0, otherErrors: [] });
    }, 120_000);

    test('a node name and a stats socket of the user do not disturb', async () => {
      const own = agent({ ...plain('v1'), global: `node mine\n  stats socket ${pod.directory}/own.sock level user` });
      await own.heard(isOwner);
      expect(await get(pod.port, '/')).toBe('v1');
    }, 120_000);

    test('a "bind" with an address instead of a descriptor is an error that says what to write', async () => {
      const wrong = agent({ ...plain('v1'), bind: `127.0.0.1:${await freePort()}` });
      expect((await wrong.exited).code).toBe(1);
      expect(wrong.stderr).toContain('no "bind fd@3" for web');
    }, 120_000);

    test.each([
      [['-sf', '1'], 'another one'],
      [['-x', '/run/haproxy.sock'], 'bind fd@3'],
      [['-D'], 'leave it out'],
    ])(
      '%j is refused with the reason',
      async (options, said) => {
        const wrong = agent(plain('v1'), options);
        expect((await wrong.exited).code).not.toBe(0);
        expect(wrong.stderr).toContain(said);
      },
      60_000,
    );
  });
});
