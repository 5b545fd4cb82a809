import { chmodSync, existsSync, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { titleOf } from '../../src/adapters/processes.js';
import { type Fixture, until } from '../processes.js';
import { PATIENCE_MS, SLOW_TEST_MS, serving, useStage } from '../stage.js';
import { get, refused } from './adapter.contract.js';
import { programsOf } from './containers.js';
import { httpListener, writeListeners } from './envoy-config.js';
import { EnvoyPod, freePorts } from './envoy-pod.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);

if (envoys instanceof Error) {
  const why = envoys.message;
  test('failures of Envoy are left out', () => leaveOut('every death of real Envoy', why));
} else {
  const stage = useStage();
  const envoy = new EnvoyPod(envoys, stage);
  const version = (label: string) => ({ label, ports: [stage.pod.port] });
  const clients = () => stage.clients({ keepAlive: 4 });

  describe('a new Envoy that fails leaves the old one untouched', () => {
    test(
      'when one of its listeners cannot be bound',
      async () => {
        await envoy.serving(version('v1'));
        await clients();
        const taken = createServer();
        await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
        const address = taken.address();
        const second = envoy.start({
          label: 'v2',
          ports: [stage.pod.port, typeof address === 'object' && address ? address.port : 0],
        });
        expect((await second.exited).code).toBe(1);
        taken.close();
        await stage.answeredBy('v1');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'when it is killed at any moment of its start, as often as it likes',
      async () => {
        await envoy.serving(version('v1'), { env: { SIDESTEP_GUARD_SECONDS: '30' } });
        await clients();
        for (const moment of ['runs', 'asks for its socket', 'accepts']) {
          const second = envoy.start(version('v2'));
          if (moment === 'runs') await until(() => envoysOf(second).length > 0, 'Envoy runs', PATIENCE_MS);
          else await second.heard('envoy-asks-for-socket', PATIENCE_MS);
          if (moment === 'accepts')
            await until(() => stage.load.seen.versions.has('v2'), 'the new one answers, too', PATIENCE_MS);
          kill(second);
          expect((await second.exited).code).not.toBe(0);
          await stage.answeredBy('v1');
        }
        await envoy.serving(version('v3'));
        await stage.answeredBy('v3');
        // What a killed one had accepted is cut, nobody is refused.
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );

    test(
      'when it hangs: the time to be ready ends it',
      async () => {
        await envoy.serving(version('v1'));
        await clients();
        const program = join(stage.pod.directory, 'envoy-that-hangs');
        writeFileSync(program, '#!/bin/sh\n[ "$1" = --hot-restart-version ] && echo 11.104 || kill -STOP $$\n');
        chmodSync(program, 0o755);
        const second = envoy.start(version('v2'), { program, env: { SIDESTEP_INIT_SECONDS: '1' } });
        expect((await second.exited).code).toBe(1);
        expect(second.stderr).toContain('envoy-that-hangs was not ready within 1 s (its workers do not accept)');
        await stage.answeredBy('v1');
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );

    test(
      'when it has no hot restart, one of another number, or cannot be started at all',
      async () => {
        await envoy.serving(version('v1'));
        await clients();
        const saying = (version: string): string => {
          const program = join(stage.pod.directory, `envoy-${version}`);
          writeFileSync(program, `#!/bin/sh\necho ${version}\n`);
          chmodSync(program, 0o755);
          return program;
        };
        for (const [given, why] of [
          [saying('disabled'), 'no hot restart'],
          [saying('12.104'), 'hot restart 12.104'],
          ['/no/such/envoy', 'cannot be asked'],
        ]) {
          const second = envoy.start(version('v2'), { program: given! });
          expect((await second.exited).code).toBe(1);
          expect(second.stderr).toContain(why);
        }
        await stage.answeredBy('v1');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );
  });

  describe('after the commit', () => {
    test(
      'Envoy alone killed: the version before serves again and nobody is refused',
      async () => {
        const first = await envoy.serving(version('v1'), { env: { SIDESTEP_GUARD_SECONDS: '30' } });
        await clients();
        const second = await envoy.serving(version('v2'));
        await stage.answeredBy('v2');
        kill(second);
        expect((await second.exited).code).toBe(137);
        await first.heard('resumed', PATIENCE_MS);
        await stage.answeredBy('v1');
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );

    test(
      'the old Envoy killed, or its whole container: the new one does not notice',
      async () => {
        for (const victim of ['Envoy', 'agent']) {
          const first = await envoy.serving(version('v1'), { env: { SIDESTEP_GUARD_SECONDS: '30' } });
          await stage.clients();
          const held = get(stage.pod.port, '/held').catch(() => 'cut');
          await until(() => stage.upstream.held === 1, 'the old one has a request');
          const second = await envoy.serving(version('v2'));
          await stage.answeredBy('v2');
          if (victim === 'Envoy') kill(first);
          else first.child.kill('SIGKILL');
          expect(await held).toBe('cut');
          await stage.answeredBy('v2');
          await stage.nobodyRefused();
          for (const { child, exited } of [first, second]) {
            child.kill('SIGKILL');
            await exited;
          }
          await until(() => refused(stage.pod.port), 'both are gone', PATIENCE_MS);
        }
      },
      SLOW_TEST_MS,
    );

    test(
      'a new agent that stands still for a moment: the old version serves beside it, and leaves again',
      async () => {
        const first = await envoy.serving(version('v1'), { env: { SIDESTEP_GUARD_SECONDS: '120' } });
        await clients();
        const second = await envoy.serving(version('v2'));
        await stage.answeredBy('v2');
        second.child.kill('SIGSTOP');
        await first.heard('accepting-again', PATIENCE_MS);
        second.child.kill('SIGCONT');
        await first.heard('not-needed-any-more', PATIENCE_MS);
        first.child.kill('SIGTERM');
        expect((await first.exited).code).toBe(0);
        await stage.answeredBy('v2');
        await stage.nobodyRefused();
        expect(second.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'an old Envoy that hangs is ended when its time is over',
      async () => {
        const env = { SIDESTEP_DRAIN_SECONDS: '1' };
        const first = await envoy.serving(version('v1'), { env });
        for (const pid of envoysOf(first)) process.kill(pid, 'SIGSTOP');
        await envoy.serving(version('v2'), { env });
        await clients();
        expect((await first.exited).code).toBe(0);
        await stage.answeredBy('v2');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );
  });

  describe('with a custodian', () => {
    const pair = (mine: number, other: number) => ({
      SIDECARSET_VERSION: String(mine),
      SIDECARSET_VERSION_ALT: String(other),
    });
    const custodian = (): Fixture => stage.pod.agent(['custodian'], { ...pair(0, 1), SIDESTEP_GUARD_SECONDS: '0.2' });
    const keeps = async (sockets: number): Promise<boolean> => {
      const asked = stage.pod.agent(['status', '--compact'], pair(0, 1));
      await asked.exited;
      return asked.told[0]?.reason === 'keeping' && asked.told[0].listeners.length === sockets;
    };

    test(
      'a crash of the only Envoy refuses nobody, nor does one of its agent',
      async () => {
        let proxy = await envoy.serving(version('v0'), { env: pair(1, 0) });
        const keeper = custodian();
        await until(() => keeps(1), 'the custodian has its duplicate', PATIENCE_MS);
        await clients();
        for (const crash of ['v1', 'v2']) {
          if (crash === 'v1') kill(proxy);
          else proxy.child.kill('SIGKILL');
          await proxy.exited;
          proxy = await envoy.serving(version(crash), { env: pair(1, 0) });
          await stage.answeredBy(crash);
          await until(() => keeps(1), 'the custodian keeps it again', PATIENCE_MS);
        }
        await stage.nobodyRefused();
        expect(keeper.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'a crash refuses nobody at a listener either that a control plane added later',
      async () => {
        const [late] = (await freePorts(1)) as [number];
        const lds = join(stage.pod.directory, 'listeners.json');
        writeListeners(lds, []);
        const proxy = await envoy.serving({ ...version('v1'), lds }, { env: pair(1, 0) });
        custodian();
        await until(() => keeps(1), 'the custodian has the first', PATIENCE_MS);
        writeListeners(lds, [{ label: 'v1', ports: [late] }]);
        await until(() => keeps(2), 'the custodian has the one that came later, too', PATIENCE_MS);
        await stage.clients({ port: late });
        proxy.child.kill('SIGKILL');
        await proxy.exited;
        writeListeners(lds, [{ label: 'v2', ports: [late] }]);
        await envoy.serving({ ...version('v2'), lds }, { env: pair(1, 0) });
        await stage.answeredBy('v2');
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );
  });

  describe('what a launch leaves behind', () => {
    test(
      'nothing after a good end, and what a killed agent left goes at the next start',
      async () => {
        const first = await envoy.serving(version('v1'));
        first.child.kill('SIGKILL');
        await first.exited;
        expect(envoyFiles(stage.pod.directory)).not.toEqual([]);
        await until(() => refused(stage.pod.port), 'its Envoy is gone, too', PATIENCE_MS);
        const memory = memoryOf(stage.pod.directory);
        expect(memory).toHaveLength(1);
        const second = await envoy.serving(version('v2'));
        expect(existsSync(memory[0]!)).toBe(false);
        const own = memoryOf(stage.pod.directory);
        second.child.kill('SIGTERM');
        expect((await second.exited).code).toBe(0);
        expect(envoyFiles(stage.pod.directory)).toEqual([]);
        expect(own.filter(existsSync)).toEqual([]);
      },
      SLOW_TEST_MS,
    );

    test(
      'sockets that only this user may write to',
      async () => {
        const first = await envoy.serving(version('v1'));
        expect(first.running).toBe(true);
        const sockets = envoyFiles(stage.pod.directory);
        expect(sockets.length).toBeGreaterThan(5);
        expect(sockets.filter((name) => (lstatSync(join(stage.pod.directory, name)).mode & 0o777) !== 0o600)).toEqual(
          [],
        );
      },
      SLOW_TEST_MS,
    );
  });

  test(
    'options that belong to the adapter are refused before anything is touched',
    async () => {
      for (const args of [['--base-id', '7'], ['--restart-epoch=2'], ['--mode', 'validate'], ['--config-yaml', '{}']]) {
        const fixture = envoy.start(version('v1'), { args });
        expect((await fixture.exited).code).toBe(2);
        expect(fixture.stderr).toContain('--');
      }
      expect(readdirSync(stage.pod.directory).filter((name) => name.endsWith('.sock'))).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  test(
    'a configuration given as --config-yaml serves like one in a file, and its copy is private',
    async () => {
      const address = { socket_address: { address: '127.0.0.1', port_value: stage.pod.port } };
      const listeners = [httpListener(address, { label: 'inline' })];
      const clusters = [{ name: 'upstream', load_assignment: { cluster_name: 'upstream' } }];
      const whole = JSON.stringify({ static_resources: { listeners, clusters } });
      const command = [envoys.newer, '--config-yaml', whole, '-l', 'error'];
      const agent = await serving(stage.pod.agent(['run', '--adapter', 'envoy', '--', ...command]));
      expect(await get(stage.pod.port, '/')).toBe('inline');
      const copies = readdirSync(stage.pod.directory).filter((name) => name.endsWith('.yaml'));
      expect(copies.map((name) => lstatSync(join(stage.pod.directory, name)).mode & 0o777)).toEqual([0o600]);
      agent.child.kill('SIGTERM');
      expect((await agent.exited).code).toBe(0);
      expect(envoyFiles(stage.pod.directory)).toEqual([]);
    },
    SLOW_TEST_MS,
  );
}

/** The Envoys that an agent has started and that have not ended. */
function envoysOf(agent: Fixture): number[] {
  return programsOf(agent).filter((pid) => titleOf(pid).includes('--restart-epoch'));
}

/** Whether there was one. */
function kill(agent: Fixture): boolean {
  const pids = envoysOf(agent);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length > 0;
}

function envoyFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.includes('.envoy_'));
}

function memoryOf(directory: string): string[] {
  return envoyFiles(directory).flatMap((name) => {
    const base = /\.envoy_parent_(\d+)0$/.exec(name);
    return base ? [`/dev/shm/envoy_shared_memory_${base[1]}0`] : [];
  });
}
