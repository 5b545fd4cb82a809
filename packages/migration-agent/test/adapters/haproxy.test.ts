import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { freePort } from '@sidestep/testkit';
import type { Fixture } from '../processes.js';
import { SLOW_TEST_MS, serving, useStage } from '../stage.js';
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
    mayCut: 'kept connections',
  });

  describe('HAProxy under the agent', () => {
    const stage = useStage();

    const agent = (configuration: Configuration, options: string[] = [], listen = web()): Fixture =>
      stage.pod.container(
        [
          'run',
          '--adapter',
          'haproxy',
          ...listen,
          '--',
          program,
          ...options,
          '-f',
          configure(stage.pod.directory, configuration),
        ],
        { SIDESTEP_GUARD_SECONDS: '1' },
      );
    const web = (): string[] => ['--listen', `web=127.0.0.1:${stage.pod.port}`];
    const plain = (says: string): Configuration => ({ name: says, bind: 'fd@3', says });

    test(
      'as master and worker it hands over the same',
      async () => {
        const first = await serving(agent(plain('v1'), ['-W']));
        await stage.clients();
        await serving(agent(plain('v2'), ['-W', '-db']));
        expect((await first.exited).code).toBe(0);
        await stage.answeredBy('v2');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a node name and a stats socket of the user do not disturb',
      async () => {
        await serving(
          agent({ ...plain('v1'), global: `node mine\n  stats socket ${stage.pod.directory}/own.sock level user` }),
        );
        expect(await get(stage.pod.port, '/')).toBe('v1');
      },
      SLOW_TEST_MS,
    );

    test(
      'a "bind" with an address instead of a descriptor is an error that says what to write',
      async () => {
        const wrong = agent({ ...plain('v1'), bind: `127.0.0.1:${await freePort()}` });
        expect((await wrong.exited).code).toBe(1);
        expect(wrong.stderr).toContain('no "bind fd@3" for web');
      },
      SLOW_TEST_MS,
    );

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
