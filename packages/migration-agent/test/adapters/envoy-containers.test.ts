import { expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { type Fixture, until } from '../processes.js';
import { serving as isServing, PATIENCE_MS, useStage } from '../stage.js';
import { container, pidInside, processOf, signalContainer, whyNoContainers } from './containers.js';
import { writeEnvoyConfig } from './envoy-config.js';
import type { Http2Load } from './http2-load.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);
const why = envoys instanceof Error ? envoys.message : whyNoContainers();

const UPGRADES = 20;
const TEST_MS = 900_000;

if (envoys instanceof Error || why !== undefined) {
  test('Envoy between two containers is left out', () => leaveOut('real Envoy between two containers', why ?? ''));
} else {
  const stage = useStage();
  let streams: Http2Load | undefined;

  /** Container `mesh-1` or `mesh-2` with version n; the two releases take turns. */
  const version = (n: number, env: Record<string, string> = {}): Fixture => {
    const { pod, upstream } = stage;
    const config = writeEnvoyConfig(pod.directory, { label: `v${n}`, ports: [pod.port], upstreamPort: upstream.port });
    const envoy = n % 2 === 0 ? envoys.newer : envoys.older;
    const command = [envoy, '-c', config, '-l', 'error', '--concurrency', '2'];
    return container(pod, ['run', '--adapter', 'envoy', '--', ...command], {
      SIDECARSET_VERSION: String(n),
      SIDECARSET_VERSION_ALT: String(n - 1),
      SIDESTEP_GUARD_SECONDS: '1',
      ...env,
    });
  };
  const serving = (n: number, env: Record<string, string> = {}): Promise<Fixture> => isServing(version(n, env));
  const clients = async (): Promise<void> => {
    await stage.clients({ short: 6, keepAlive: 6, pauseMs: 3 });
    streams = stage.http2Clients(`http://localhost:${stage.pod.port}`);
  };
  const answeredBy = async (n: number): Promise<void> => {
    await stage.answeredBy(`v${n}`);
    const before = streams?.answeredBy(`v${n}`) ?? 0;
    await until(() => (streams?.answeredBy(`v${n}`) ?? 0) > before + 5, `v${n} answers over HTTP/2`, PATIENCE_MS);
  };

  // They share network, /dev/shm and the private directory.
  test(
    'is upgraded to and fro under load, each old container reset by SIGTERM, and nothing is lost',
    async () => {
      let current = await serving(1);
      expect(pidInside(current)).toBe(1);
      await clients();
      for (let n = 2; n <= UPGRADES + 1; n++) {
        const next = await serving(n);
        // The Reset phase: it comes as soon as the hook of the new container has returned.
        signalContainer(current, 'SIGTERM');
        await answeredBy(n);
        expect(await current.exited).toEqual({ code: 0, signal: null });
        current = next;
      }
      await streams?.stop();
      await stage.nothingLost();
      const { connections, ok } = stage.load.seen;
      // Else no connection was kept, and what became of those was not seen.
      expect(connections).toBeLessThan(ok);
      expect(streams?.lost).toEqual([]);
    },
    TEST_MS,
  );

  /** How far the new container has come when it is killed: before the commit, at it, and after it. */
  const MOMENTS: { when: string; come(first: Fixture, second: Fixture): Promise<unknown> }[] = [
    {
      when: 'as soon as it has asked for the sockets',
      come: (first) => first.heard('asked-for-listeners', PATIENCE_MS),
    },
    { when: 'when its Envoy asks for one', come: (_, second) => second.heard('envoy-asks-for-socket', PATIENCE_MS) },
    {
      when: 'when its Envoy answers beside the old one',
      come: () => until(() => stage.load.seen.versions.has('v2'), 'v2 answers, too', PATIENCE_MS),
    },
    { when: 'in the moment of the commit', come: (first) => first.heard('succeeded', PATIENCE_MS) },
    { when: 'when it is the owner', come: (_, second) => isServing(second) },
    {
      when: 'when it has answered alone for a while',
      come: async (_, second) => {
        await isServing(second);
        await answeredBy(2);
      },
    },
  ];

  test.each(MOMENTS)(
    'refuses nobody when the new container is killed $when',
    async ({ come }) => {
      const first = await serving(1, { SIDESTEP_GUARD_SECONDS: '60' });
      await clients();
      const second = version(2);
      await come(first, second);
      second.child.kill('SIGKILL');
      await second.exited;
      await answeredBy(1);
      await serving(4);
      await answeredBy(4);
      await stage.nobodyRefused();
    },
    TEST_MS,
  );

  test(
    'refuses nobody when a new version has a bad configuration, time and again',
    async () => {
      await serving(1);
      await clients();
      for (const args of [
        ['-c', '/no/such/file.yaml'],
        ['--config-yaml', '{static_resources: 7}'],
        ['--no-such-option'],
      ]) {
        const bad = container(stage.pod, ['run', '--adapter', 'envoy', '--', envoys.newer, '-l', 'off', ...args], {
          SIDECARSET_VERSION: '2',
          SIDECARSET_VERSION_ALT: '1',
        });
        expect((await bad.exited).code).toBe(1);
        await answeredBy(1);
      }
      await serving(2);
      await answeredBy(2);
      await stage.nothingLost();
    },
    TEST_MS,
  );

  test(
    'goes on when the old container is killed while it drains, and the next upgrade does, too',
    async () => {
      const first = await serving(1, { SIDESTEP_GUARD_SECONDS: '60' });
      await clients();
      await serving(2);
      first.child.kill('SIGKILL');
      await answeredBy(2);
      const third = await serving(3);
      await answeredBy(3);
      expect(third.running).toBe(true);
      await stage.nobodyRefused();
    },
    TEST_MS,
  );

  test(
    'refuses nobody when Envoy crashes with no upgrade going on: the other container has the sockets',
    async () => {
      const mine = { SIDECARSET_VERSION: '1', SIDECARSET_VERSION_ALT: '0' };
      const others = { SIDECARSET_VERSION: '0', SIDECARSET_VERSION_ALT: '1' };
      let proxy = await serving(1, mine);
      container(stage.pod, ['custodian'], others);
      const keeps = async (): Promise<boolean> => {
        const asked = stage.pod.agent(['status', '--compact'], others);
        await asked.exited;
        return asked.told[0]?.reason === 'keeping' && asked.told[0].listeners.length === 1;
      };
      await clients();
      for (const [n, crashed] of [
        [2, 'Envoy'],
        [3, 'its whole container'],
      ] as const) {
        await until(keeps, 'the custodian has its duplicate', PATIENCE_MS);
        if (crashed === 'Envoy') process.kill(processOf(proxy, '--restart-epoch'), 'SIGKILL');
        else proxy.child.kill('SIGKILL');
        await proxy.exited;
        proxy = await serving(n, mine);
        await answeredBy(n);
      }
      await stage.nobodyRefused();
    },
    TEST_MS,
  );
}
