// MOSN itself. What only a stand-in can be made to do in time (dying between two messages, hanging) is in mosn.test.ts.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findMosn, leaveOut } from '@sidestep/testkit';
import { type Fixture, until } from '../processes.js';
import { PATIENCE_MS, SLOW_TEST_MS, serving, useStage } from '../stage.js';

/** HTTP/1.1, every answer is the label. */
function configure(directory: string, port: number, label: string): string {
  const answer = { match: { prefix: '/' }, direct_response: { status: 200, body: label } };
  const proxy = { downstream_protocol: 'Http1', upstream_protocol: 'Http1', router_config_name: 'all' };
  const listener = {
    name: 'web',
    address: `127.0.0.1:${port}`,
    bind_port: true,
    filter_chains: [{ filters: [{ type: 'proxy', config: proxy }] }],
  };
  const router = {
    router_config_name: 'all',
    virtual_hosts: [{ name: 'all', domains: ['*'], routers: [answer] }],
  };
  const server = {
    default_log_path: 'stdout',
    default_log_level: 'INFO',
    routers: [router],
    listeners: [listener],
  };
  const whole = {
    uds_dir: directory,
    pid: join(directory, `${label}.pid`),
    inherit_old_mosnconfig: false,
    servers: [server],
    cluster_manager: { clusters: [] },
  };
  const file = join(directory, `${label}.json`);
  writeFileSync(file, JSON.stringify(whole));
  return file;
}

const program = await findMosn({ download: false }).catch((missing: Error) => missing);

if (program instanceof Error) {
  const why = program.message;
  test('MOSN is left out, with the reason', () => leaveOut('the mosn adapter with real MOSN', why));
} else {
  describe('the mosn adapter, with MOSN', () => {
    const stage = useStage();

    // Shorter than the silence after which the old agent would start its MOSN again: a slow machine is not what is tested here.
    const mosn = (label: string, config?: string, guard = '0.2'): Fixture => {
      const { directory, port } = stage.pod;
      const command = [program, 'start', '-c', config ?? configure(directory, port, label)];
      // Left to itself the old one stays for a minute; what it has left by then is cut, and clients have gone to the new one.
      const env = { SIDESTEP_GUARD_SECONDS: guard, SIDESTEP_DRAIN_SECONDS: '12' };
      return stage.pod.agent(['run', '--adapter', 'mosn', '--', ...command], env);
    };

    /** MOSN says that it runs a moment before it can be succeeded. */
    const firstServing = async (guard?: string): Promise<Fixture> => {
      const first = await serving(mosn('v1', undefined, guard));
      await until(() => existsSync(join(stage.pod.directory, 'reconfig.sock')), 'it can be succeeded');
      return first;
    };

    test(
      'hands over from version to version, and loses no short connection and no POST',
      async () => {
        const first = await firstServing();
        await stage.clients({ keepAlive: 4 });
        const second = await serving(mosn('v2'));
        await stage.answeredBy('v2');
        expect((await first.exited).code).toBe(0);
        await serving(mosn('v3'));
        await stage.answeredBy('v3');
        expect((await second.exited).code).toBe(0);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a new one that fails at its start changes nothing, and the next one works',
      async () => {
        const first = await firstServing();
        await stage.clients({ keepAlive: 4 });
        const second = mosn('v2', join(stage.pod.directory, 'no-such-file.json'));
        expect((await second.exited).code).toBe(1);
        await stage.answeredBy('v1');
        await serving(mosn('v3'));
        await stage.answeredBy('v3');
        expect((await first.exited).code).toBe(0);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a new one that dies in the guard: what is left of the old one is ended, and it is started again',
      async () => {
        const first = await firstServing('30');
        const second = await serving(mosn('v2'));
        second.child.kill('SIGKILL');
        await first.heard('resumed', PATIENCE_MS);
        await stage.clients();
        await stage.answeredBy('v1');
      },
      SLOW_TEST_MS,
    );

    test(
      'SIGTERM with no successor ends it',
      async () => {
        const only = await serving(mosn('v1'));
        only.child.kill('SIGTERM');
        expect((await only.exited).code).toBe(0);
      },
      SLOW_TEST_MS,
    );
  });
}
