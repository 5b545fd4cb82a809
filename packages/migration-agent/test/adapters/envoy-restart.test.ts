// Envoy's own restart, which the agent uses for an Envoy whose hot restart it does not speak. Today's Envoys restart by themselves just
// as well, so these are real ones.
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { type Fixture, until } from '../processes.js';
import { serving as isServing, PATIENCE_MS, SLOW_TEST_MS, useStage } from '../stage.js';
import { get, refused } from './adapter.contract.js';
import { container, processOf, signalContainer, whyNoContainers } from './containers.js';
import { type EnvoyPlan, writeEnvoyConfig } from './envoy-config.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);
const why = envoys instanceof Error ? envoys.message : whyNoContainers();

interface Options {
  env?: Record<string, string>;
  adapter?: string;
  program?: string;
  plan?: Partial<EnvoyPlan>;
  /** Directories that only this container has. */
  privately?: string[];
}

if (envoys instanceof Error || why !== undefined) {
  test("Envoy's own restart is left out", () => leaveOut('real Envoys that restart by themselves', why ?? ''));
} else {
  const stage = useStage();

  /** The two releases take turns. */
  const version = (n: number, { env = {}, adapter = 'envoy-restart', program, plan = {}, privately }: Options = {}) => {
    const { pod, upstream } = stage;
    const about = { label: `v${n}`, ports: [pod.port], upstreamPort: upstream.port, ...plan };
    const envoy = program ?? (n % 2 === 0 ? envoys.newer : envoys.older);
    const command = [envoy, '-c', writeEnvoyConfig(pod.directory, about), '-l', 'error', '--concurrency', '2'];
    const options = ['--drain-time-s', '1'];
    const own = {
      SIDECARSET_VERSION: String(n),
      SIDECARSET_VERSION_ALT: String(n - 1),
      SIDESTEP_GUARD_SECONDS: '1',
    };
    return container(pod, ['run', '--adapter', adapter, '--', ...command, ...options], { ...own, ...env }, privately);
  };
  const serving = (n: number, options: Options = {}): Promise<Fixture> => isServing(version(n, options));
  const gaveUp = async (fixture: Fixture, because: string): Promise<void> => {
    expect((await fixture.exited).code).toBe(1);
    expect(fixture.stderr).toContain(because);
  };
  const epochOf = ({ told }: Fixture): unknown => told.find(({ event }) => event === 'envoy-restarted')?.epoch;

  test(
    'is upgraded to and fro under load, each old container reset by SIGTERM, and nothing is lost',
    async () => {
      let current = await serving(1);
      await stage.clients({ keepAlive: 4 });
      const streams = stage.http2Clients(`http://localhost:${stage.pod.port}`);
      for (let n = 2; n <= 5; n++) {
        const next = await serving(n);
        expect(epochOf(next)).toBe(n - 1);
        signalContainer(current, 'SIGTERM');
        await stage.answeredBy(`v${n}`);
        // Its Envoy ends when it has nothing left, not at the signal.
        expect(await current.exited).toEqual({ code: 0, signal: null });
        current = next;
      }
      await streams.stop();
      await stage.nothingLost();
      expect(streams.lost).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  test(
    'an old container that is killed while it drains takes neither the new Envoy with it nor the one after',
    async () => {
      const first = await serving(1);
      const held = get(stage.pod.port, '/held').catch(() => 'cut');
      await until(() => stage.upstream.held === 1, 'the request is at the upstream');
      await stage.clients({ keepAlive: 4 });
      const second = await serving(2);
      await stage.answeredBy('v2');
      first.child.kill('SIGKILL');
      expect(await held).toBe('cut');
      await second.heard('envoy-parent-gone', PATIENCE_MS);
      // It tells its parent, who is dead, to end before it answers its child.
      await serving(3);
      await stage.answeredBy('v3');
      await stage.nobodyRefused();
    },
    SLOW_TEST_MS,
  );

  describe('an attempt that fails before the new Envoy serves changes nothing, and the next one works', () => {
    test(
      'killed while it starts: its mark in shared memory does not stop those that follow',
      async () => {
        await serving(1);
        await stage.clients({ keepAlive: 4 });
        const starting = version(2, { plan: { ports: [], waitsForListeners: true } });
        await until(() => hasChild(starting), 'the new Envoy starts', PATIENCE_MS);
        const admins = (): string[] => readdirSync(stage.pod.directory).filter((name) => name.endsWith('.admin'));
        await until(() => admins().length === 2, 'it has read its configuration', PATIENCE_MS);
        starting.child.kill('SIGKILL');
        await starting.exited;
        const next = await serving(3);
        expect(next.told.some(({ event }) => event === 'envoy-start-flag-cleared')).toBe(true);
        // The epoch of the attempt that failed.
        expect(epochOf(next)).toBe(1);
        await stage.answeredBy('v3');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'never ready: it is ended without a word to the old one, whom its SIGTERM would end',
      async () => {
        await serving(1);
        await stage.clients({ keepAlive: 4 });
        const never = { plan: { ports: [], waitsForListeners: true }, env: { SIDESTEP_INIT_SECONDS: '2' } };
        await gaveUp(version(2, never), 'was not ready within 2 s (not LIVE as epoch 1)');
        await stage.answeredBy('v1');
        await serving(3);
        await stage.answeredBy('v3');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a bad configuration, or a /dev/shm of its own',
      async () => {
        await serving(1);
        await stage.clients({ keepAlive: 4 });
        await gaveUp(
          version(2, { plan: { pipe: '/no/such/directory/socket' } }),
          'ended with code 1 before it was ready',
        );
        await gaveUp(version(2, { privately: ['/dev/shm'] }), 'SHARED_MEMORY');
        await stage.answeredBy('v1');
        expect(epochOf(await serving(2))).toBe(1);
        await stage.answeredBy('v2');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'an old Envoy that hangs: the new one waits for it, and is ended when its time to start is over',
      async () => {
        const first = await serving(1);
        await stage.clients({ short: 2 });
        const hangs = processOf(first, '--restart-epoch');
        process.kill(hangs, 'SIGSTOP');
        await gaveUp(version(2, { env: { SIDESTEP_INIT_SECONDS: '2' } }), 'was not ready within 2 s');
        process.kill(hangs, 'SIGCONT');
        await stage.answeredBy('v1');
        // What the dead one had asked is answered into the void: with nobody there the old Envoy would end itself.
        await first.heard('keeps-serving', PATIENCE_MS);
        await serving(3);
        await stage.answeredBy('v3');
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );
  });

  describe('after the new Envoy has told the old one to stop', () => {
    test(
      'the container killed: the old agent starts its version again, and what the old Envoy has is answered',
      async () => {
        const env = { SIDESTEP_GUARD_SECONDS: '60' };
        const first = await serving(1, { env });
        const held = get(stage.pod.port, '/held');
        await until(() => stage.upstream.held === 1, 'the request is at the upstream');
        const second = await serving(2, { env });
        second.child.kill('SIGKILL');
        await first.heard('resumed', PATIENCE_MS);
        await stage.clients();
        await stage.answeredBy('v1');
        stage.upstream.release();
        expect(await held).toBe('late');
        expect(first.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'a new agent that stands still for a moment: its Envoy serves, and the old version does not start beside it',
      async () => {
        const env = { SIDESTEP_GUARD_SECONDS: '60' };
        const first = await serving(1, { env });
        await stage.clients({ keepAlive: 4 });
        const second = await serving(2, { env });
        signalContainer(second, 'SIGSTOP');
        await first.heard('accepting-again', PATIENCE_MS);
        await stage.answeredBy('v2');
        signalContainer(second, 'SIGCONT');
        await first.heard('not-needed-any-more', PATIENCE_MS);
        await stage.answeredBy('v2');
        expect(stage.load.seen.versions.get('v1')).toBeDefined();
        expect(epochOf(second)).toBe(1);
        expect(first.told.filter(({ event }) => event === 'envoy-restarted')).toHaveLength(1);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );
  });

  test(
    'SIGTERM with no successor lets it finish what it has, and nothing is left behind',
    async () => {
      const only = await serving(1);
      const held = get(stage.pod.port, '/held');
      await until(() => stage.upstream.held === 1, 'the request is at the upstream');
      signalContainer(only, 'SIGTERM');
      await until(() => refused(stage.pod.port), 'nobody listens any more', PATIENCE_MS);
      expect(only.running).toBe(true);
      stage.upstream.release();
      expect(await held).toBe('late');
      expect((await only.exited).code).toBe(0);
      expect(readdirSync(stage.pod.directory).filter((name) => name.includes('envoy'))).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  describe('the envoy adapter', () => {
    /** An Envoy whose hot restart has another number. */
    const numbered = (number: string, envoy: string): string => {
      const program = join(stage.pod.directory, `envoy-${number}`);
      writeFileSync(program, `#!/bin/sh\n[ "$1" = --hot-restart-version ] && echo ${number} || exec ${envoy} "$@"\n`);
      chmodSync(program, 0o755);
      return program;
    };
    const as = (number: string, envoy: string): Options => ({ adapter: 'envoy', program: numbered(number, envoy) });

    test(
      'leaves an Envoy of another number to its own restart',
      async () => {
        const first = await serving(1, as('12.104', envoys.older));
        await stage.clients({ keepAlive: 4 });
        const second = await serving(2, as('12.104', envoys.newer));
        expect([epochOf(first), epochOf(second)]).toEqual([0, 1]);
        signalContainer(first, 'SIGTERM');
        await stage.answeredBy('v2');
        expect((await first.exited).code).toBe(0);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'refuses to go from one number to another before anything is touched',
      async () => {
        const first = await serving(1, { adapter: 'envoy' });
        await stage.clients({ keepAlive: 4 });
        await gaveUp(version(2, as('12.104', envoys.newer)), 'hot restart 12.104 cannot take them');
        await stage.answeredBy('v1');
        await stage.nothingLost();
        signalContainer(first, 'SIGTERM');
        expect((await first.exited).code).toBe(0);

        await serving(3, as('12.104', envoys.older));
        await stage.clients({ keepAlive: 4 });
        await gaveUp(version(4, { adapter: 'envoy' }), 'restarts by itself, with hot restart 12.104');
        await gaveUp(version(4, as('13.104', envoys.newer)), 'restarts by itself, with hot restart 12.104');
        await stage.answeredBy('v3');
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );
  });
}

function hasChild(fixture: Fixture): boolean {
  try {
    return processOf(fixture, '--restart-epoch') > 0;
  } catch {
    return false;
  }
}
