import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { freePort } from '@sidestep/testkit';
import { type Fixture, until } from '../processes.js';
import { SLOW_TEST_MS, serving, useStage } from '../stage.js';
import { type AdapterRoom, type AdapterRun, adapterContract } from './adapter.contract.js';
import { withRealProxy } from './real-program.js';

interface Configuration {
  name: string;
  listen: string[];
  /** Body of every answer. */
  says: string;
  upstreamPort?: number;
  /** What the listener for the agent alone does. */
  ready?: string;
}

/** Writes a configuration that needs nothing outside of the directory. */
function configure(directory: string, { name, listen, says, upstreamPort, ready }: Configuration): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const held = upstreamPort === undefined ? '' : `location /held { proxy_pass http://127.0.0.1:${upstreamPort}; }`;
  const file = join(directory, `${name}.conf`);
  writeFileSync(
    file,
    `user root; worker_processes 2; pid ${directory}/${name}.pid; error_log stderr warn;
     events { worker_connections 256; }
     http {
       access_log off;
       ${scratch.map((what) => `${what}_temp_path ${directory}/${what};`).join(' ')}
       server { ${listen.map((address) => `listen ${address};`).join(' ')} location / { return 200 ${says}; } ${held} }
       ${ready === undefined ? '' : `server { listen unix:${directory}/ready.sock; ${ready} }`}
     }`,
  );
  return file;
}

await withRealProxy('nginx', (program) => {
  const run = (room: AdapterRoom, configuration: Partial<Configuration> & { says: string }): AdapterRun => {
    const listen = [`127.0.0.1:${room.port}`];
    const file = configure(room.directory, {
      name: configuration.says,
      listen,
      upstreamPort: room.upstreamPort,
      ready: 'return 204;',
      ...configuration,
    });
    return {
      options: ['--listen', `web=127.0.0.1:${room.port}`, '--ready', `unix:${room.directory}/ready.sock`],
      command: [program, '-e', 'stderr', '-c', file],
    };
  };

  adapterContract({
    adapter: 'nginx',
    version: (label, room) => run(room, { says: label }),
    // Its workers run, and the request on the private listener is never answered.
    unready: (room) =>
      run(room, { says: 'unready', ready: `location / { proxy_pass http://127.0.0.1:${room.upstreamPort}; }` }),
    broken: (room) => run(room, { says: 'broken', listen: ['nowhere:x'] }),
    mayCut: 'kept connections',
  });

  describe('nginx under the agent', () => {
    const stage = useStage();

    const agent = (configuration: Configuration, options: string[], env: Record<string, string> = {}): Fixture =>
      stage.pod.container(
        [
          'run',
          '--adapter',
          'nginx',
          ...options,
          '--',
          program,
          '-e',
          'stderr',
          '-c',
          configure(stage.pod.directory, configuration),
        ],
        { SIDESTEP_GUARD_SECONDS: '1', ...env },
      );
    const web = (): string[] => ['--listen', `web=127.0.0.1:${stage.pod.port}`];
    const plain = (says: string): Configuration => ({ name: says, listen: [`127.0.0.1:${stage.pod.port}`], says });

    test(
      'needs no private listener: workers that have initialised are a sign, too',
      async () => {
        const first = await serving(agent(plain('v1'), web()));
        await stage.clients();
        await serving(agent(plain('v2'), web()));
        expect((await first.exited).code).toBe(0);
        await stage.answeredBy('v2');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a --listen without a "listen" is an error, not a port on which clients wait for ever',
      async () => {
        const other = agent({ ...plain('v1'), listen: [`127.0.0.1:${await freePort()}`] }, web());
        expect((await other.exited).code).toBe(1);
        expect(other.stderr).toContain(`no "listen" for web (127.0.0.1:${stage.pod.port})`);
      },
      SLOW_TEST_MS,
    );

    test(
      'a private listener that the configuration does not have is named in the error',
      async () => {
        const without = agent(plain('v1'), [...web(), '--ready', `unix:${stage.pod.directory}/ready.sock`]);
        expect((await without.exited).code).toBe(1);
        expect(without.stderr).toContain(`listen unix:${stage.pod.directory}/ready.sock`);
      },
      SLOW_TEST_MS,
    );

    test(
      'connections that outlive the drain are cut, with all of its processes',
      async () => {
        const only = await serving(
          agent({ ...plain('v1'), upstreamPort: stage.upstream.port }, web(), { SIDESTEP_DRAIN_SECONDS: '0.5' }),
        );
        const held = fetch(`http://127.0.0.1:${stage.pod.port}/held`).then(
          () => 'answered',
          () => 'cut',
        );
        await until(() => stage.upstream.held === 1, 'the request is at the upstream');
        only.child.kill('SIGTERM');
        expect(await held).toBe('cut');
        expect((await only.exited).code).toBe(0);
      },
      SLOW_TEST_MS,
    );

    test.each([
      [['--listen', 'web=unix:/tmp/sidestep-test.sock'], 'cannot take Unix listeners over'],
      [[], 'needs --listen'],
      [['--listen', 'web=127.0.0.1:0', '--ready', 'log:up'], 'allows "workers"'],
    ])(
      '%j is refused with what is allowed',
      async (options, said) => {
        const wrong = agent(plain('v1'), options);
        expect((await wrong.exited).code).not.toBe(0);
        expect(wrong.stderr).toContain(said);
      },
      60_000,
    );
  });
});
