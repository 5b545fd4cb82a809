import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { Load } from '../load.js';
import { type Fixture, until } from '../processes.js';
import { container, pidInside, signalContainer, whyNoContainers } from './containers.js';
import { writeEnvoyConfig } from './envoy-config.js';
import { EnvoyPod, freePorts, isOwner, PATIENCE_MS } from './envoy-pod.js';
import { Http2Load } from './http2-load.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);
const why = envoys instanceof Error ? envoys.message : whyNoContainers();

const UPGRADES = 6;

if (envoys instanceof Error || why !== undefined) {
  test('Envoy between two containers is left out', () => leaveOut('real Envoy between two containers', why ?? ''));
} else {
  let pod: EnvoyPod;
  let port: number;
  let load: Load | undefined;
  let streams: Http2Load | undefined;
  beforeEach(async () => {
    pod = await EnvoyPod.create(envoys);
    [port] = (await freePorts(1)) as [number];
  });
  afterEach(async () => {
    await load?.stop();
    await streams?.stop();
    load = undefined;
    streams = undefined;
    await pod.close();
  });

  /** Container `mesh-1` or `mesh-2` with version n; the two releases take turns. */
  const version = (n: number, more: Record<string, string> = {}): Fixture => {
    const label = `v${n}`;
    const config = writeEnvoyConfig(pod.directory, { label, ports: [port], upstreamPort: pod.upstream.port });
    const envoy = n % 2 === 0 ? envoys.newer : envoys.older;
    const command = [envoy, '-c', config, '-l', 'error', '--concurrency', '2'];
    return container(pod.pod, ['run', '--adapter', 'envoy', '--', ...command], {
      SIDECARSET_VERSION: String(n),
      SIDECARSET_VERSION_ALT: String(n - 1),
      SIDESTEP_GUARD_SECONDS: '1',
      ...more,
    });
  };
  const serving = async (n: number, more: Record<string, string> = {}): Promise<Fixture> => {
    const fixture = version(n, more);
    await fixture.heard(isOwner, PATIENCE_MS);
    return fixture;
  };
  const clients = async (): Promise<Load> => {
    load = new Load({ port, short: 6, keepAlive: 6, pauseMs: 3 });
    streams = new Http2Load(`http://localhost:${port}`);
    await load.answered(20);
    return load;
  };
  const answeredBy = async (n: number): Promise<void> => {
    const label = `v${n}`;
    const count = (): number => load?.seen.versions.get(label) ?? 0;
    const before = count();
    await until(() => count() > before + 20, `${label} answers`, PATIENCE_MS);
    await until(() => (streams?.answeredBy(label) ?? 0) > 5, `${label} answers over HTTP/2`, PATIENCE_MS);
  };

  describe('real Envoy in two containers that share network, /dev/shm and the private directory', () => {
    test('is upgraded to and fro under load, each old container reset by SIGTERM, and nothing is lost', async () => {
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
      const seen = await load!.stop();
      // Else no connection was kept, and what became of those was not seen.
      expect(seen.connections).toBeLessThan(seen.ok);
      expect({ refused: seen.refused, otherErrors: seen.otherErrors, streams: streams?.lost }).toEqual({
        refused: 0,
        otherErrors: [],
        streams: [],
      });
    }, 300_000);

    test('refuses nobody when the new container is killed before or after the commit', async () => {
      const first = await serving(1, { SIDESTEP_GUARD_SECONDS: '60' });
      await clients();
      const starting = version(2);
      await starting.heard('envoy-asks-for-socket', PATIENCE_MS);
      starting.child.kill('SIGKILL');
      await starting.exited;
      await answeredBy(1);
      await serving(3).then(async (next) => {
        await answeredBy(3);
        next.child.kill('SIGKILL');
      });
      await first.heard('resumed', PATIENCE_MS);
      await answeredBy(1);
      await serving(4);
      await answeredBy(4);
      expect((await load!.stop()).refused).toBe(0);
    }, 300_000);

    test('goes on when the old container is killed while it drains', async () => {
      const first = await serving(1, { SIDESTEP_GUARD_SECONDS: '60' });
      await clients();
      await serving(2);
      first.child.kill('SIGKILL');
      await answeredBy(2);
      const third = await serving(3);
      await answeredBy(3);
      expect(third.running).toBe(true);
      expect((await load!.stop()).refused).toBe(0);
    }, 300_000);
  });
}
