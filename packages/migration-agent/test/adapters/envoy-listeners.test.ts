import { createSocket } from 'node:dgram';
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { type Fixture, until } from '../processes.js';
import { PATIENCE_MS, SLOW_TEST_MS, useStage } from '../stage.js';
import { get, refused } from './adapter.contract.js';
import { writeListeners } from './envoy-config.js';
import { EnvoyPod, freePorts, selfSigned } from './envoy-pod.js';
import { UDP_CLIENTS, UdpLoad } from './udp-load.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);

if (envoys instanceof Error) {
  const why = envoys.message;
  test('listeners of Envoy are left out', () => leaveOut('every kind of listener of real Envoy', why));
} else {
  const stage = useStage();
  const envoy = new EnvoyPod(envoys, stage);
  const loadOn = (port: number) => stage.clients({ port, short: 3, keepAlive: 3 });
  const ended = async (fixture: Fixture): Promise<void> => {
    expect((await fixture.exited).code).toBe(0);
  };

  describe('sockets of TCP listeners', () => {
    test(
      'several listeners change hands together, whatever --concurrency the versions have',
      async () => {
        const ports = await freePorts(3);
        const first = await envoy.serving({ label: 'v1', ports }, { args: ['--concurrency', '2'] });
        for (const port of ports) await loadOn(port);
        const second = await envoy.serving({ label: 'v2', ports }, { args: ['--concurrency', '1'] });
        for (const load of stage.loads) await stage.answeredBy('v2', load);
        await ended(first);
        await envoy.serving({ label: 'v3', ports }, { args: ['--concurrency', '4'] });
        for (const load of stage.loads) await stage.answeredBy('v3', load);
        await ended(second);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'with enable_reuse_port each worker keeps its socket, and more workers get new ones',
      async () => {
        const ports = await freePorts(1);
        const plan = { ports, reusePort: true };
        const first = await envoy.serving({ label: 'v1', ...plan }, { args: ['--concurrency', '2'] });
        const load = await loadOn(ports[0]!);
        const second = await envoy.serving({ label: 'v2', ...plan }, { args: ['--concurrency', '3'] });
        await stage.answeredBy('v2', load);
        await ended(first);
        expect(namesOf(second, 'envoy-asks-for-socket', ({ given }) => given)).toHaveLength(2);
        expect(namesOf(second, 'socket-fetched')).toEqual([`tcp:127.0.0.1:${ports[0]}#2`]);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'with enable_reuse_port and fewer workers, or without it again, no connection waits at a socket that is left behind',
      async () => {
        const ports = await freePorts(1);
        const first = await envoy.serving({ label: 'v1', ports, reusePort: true }, { args: ['--concurrency', '4'] });
        const load = await loadOn(ports[0]!);
        const second = await envoy.serving({ label: 'v2', ports, reusePort: true }, { args: ['--concurrency', '2'] });
        await stage.answeredBy('v2', load);
        expect(namesOf(second, 'socket-given-up')).toHaveLength(2);
        const third = await envoy.serving({ label: 'v3', ports, reusePort: false }, { args: ['--concurrency', '2'] });
        await stage.answeredBy('v3', load);
        expect(namesOf(third, 'socket-given-up')).toHaveLength(1);
        await ended(first);
        await ended(second);
        await stage.answeredBy('v3', load);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );

    test(
      'a listener that the new version has not is closed, one that it adds is opened',
      async () => {
        const [kept, left, added] = await freePorts(3);
        await envoy.serving({ label: 'v1', ports: [kept!, left!] });
        const load = await loadOn(kept!);
        const first = await envoy.serving({ label: 'v2', ports: [kept!, added!] });
        await stage.answeredBy('v2', load);
        expect(await get(added!, '/')).toBe('v2');
        await until(() => refused(left!), 'nobody listens on the port that is gone');
        await stage.nothingLost();
        expect(first.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      '--listen opens a socket before Envoy runs, and Envoy serves on it',
      async () => {
        const ports = await freePorts(1);
        const options = ['--listen', `web=127.0.0.1:${ports[0]}`];
        const first = await envoy.serving({ label: 'v1', ports }, { options });
        const load = await loadOn(ports[0]!);
        await envoy.serving({ label: 'v2', ports });
        await stage.answeredBy('v2', load);
        await ended(first);
        await envoy.serving({ label: 'v3', ports }, { options });
        await stage.answeredBy('v3', load);
        await stage.nothingLost();
      },
      SLOW_TEST_MS,
    );
  });

  test(
    'a Unix listener changes hands by its descriptor',
    async () => {
      const pipe = join(stage.pod.directory, 'app.sock');
      await envoy.serving({ label: 'v1', ports: [], pipe });
      const { ino } = statSync(pipe);
      await envoy.serving({ label: 'v2', ports: [], pipe });
      await until(async () => (await overUnix(pipe)) === 'v2', 'the new version answers');
      expect(statSync(pipe).ino).toBe(ino);
    },
    SLOW_TEST_MS,
  );

  test(
    'listeners that a control plane adds and removes later are handed over as they are then',
    async () => {
      const [fixed, gone, late] = await freePorts(3);
      const lds = join(stage.pod.directory, 'listeners.json');
      writeListeners(lds, [{ label: 'v1', ports: [gone!] }]);
      const first = await envoy.serving({ label: 'v1', ports: [fixed!], lds });
      const load = await loadOn(fixed!);
      writeListeners(lds, [{ label: 'v1', ports: [late!] }]);
      await first.heard(
        ({ event, name }) => event === 'socket-fetched' && name === `tcp:127.0.0.1:${late}`,
        PATIENCE_MS,
      );
      await first.heard(
        ({ event, name }) => event === 'socket-given-up' && name === `tcp:127.0.0.1:${gone}`,
        PATIENCE_MS,
      );
      await loadOn(late!);
      writeListeners(lds, [{ label: 'v2', ports: [late!] }]);
      const second = await envoy.serving({ label: 'v2', ports: [fixed!], lds });
      await stage.answeredBy('v2', load);
      expect(namesOf(second, 'envoy-asks-for-socket', ({ given }) => !given)).toEqual([]);
      await stage.nothingLost();
    },
    SLOW_TEST_MS,
  );

  test(
    'TLS and HTTP/2: no stream is lost, a refused one is safe to send again',
    async () => {
      const tls = selfSigned(stage.pod.directory);
      const ports = await freePorts(1);
      const first = await envoy.serving({ label: 'v1', ports, tls });
      const streams = stage.http2Clients(`https://localhost:${ports[0]}`);
      await until(() => streams.answeredBy('v1') > 20, 'v1 answers');
      await envoy.serving({ label: 'v2', ports, tls });
      await until(() => streams.answeredBy('v2') > 20, 'v2 answers', PATIENCE_MS);
      await ended(first);
      await streams.stop();
      expect(streams.lost).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  test(
    'a UDP listener answers before, during and after',
    async () => {
      const echo = createSocket('udp4', (message, from) => echo.send(message, from.port, from.address));
      await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
      const [port] = await freePorts(1);
      const udp = { port: port!, to: echo.address().port };
      const first = await envoy.serving({ label: 'v1', ports: [], udp }, { args: ['--concurrency', '2'] });
      const datagrams = new UdpLoad(port!);
      await until(() => datagrams.answered > 30, 'datagrams come back');
      const second = await envoy.serving({ label: 'v2', ports: [], udp }, { args: ['--concurrency', '2'] });
      expect(namesOf(second, 'envoy-asks-for-socket', ({ given }) => given)).toHaveLength(2);
      await ended(first);
      const before = datagrams.answered;
      await until(() => datagrams.answered > before + 30, 'datagrams come back from the new version');
      await datagrams.stop();
      echo.close();
      // A datagram that the old version had read when it stopped is answered by nobody: at most one for each client.
      expect(datagrams.lost).toBeLessThanOrEqual(UDP_CLIENTS);
    },
    SLOW_TEST_MS,
  );

  test(
    '--listen admin=ADDRESS leads to the private admin of whichever Envoy serves',
    async () => {
      const [port, admin] = await freePorts(2);
      const options = ['--listen', `admin=127.0.0.1:${admin}`];
      await envoy.serving({ label: 'v1', ports: [port!] }, { options });
      const nodeId = async (): Promise<string> => JSON.parse(await get(admin!, '/server_info')).node.id;
      expect(await nodeId()).toBe('v1');
      await envoy.serving({ label: 'v2', ports: [port!] }, { options });
      await until(async () => (await nodeId()) === 'v2', 'the admin is that of the new version');
    },
    SLOW_TEST_MS,
  );
}

function namesOf(
  fixture: Fixture,
  event: string,
  fits: (told: Record<string, unknown>) => unknown = () => true,
): unknown[] {
  return fixture.told.filter((told) => told.event === event && fits(told)).map(({ name, address }) => name ?? address);
}

function overUnix(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/', agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('end', () => resolve(body));
    });
    sent.on('error', reject);
    sent.end();
  });
}
