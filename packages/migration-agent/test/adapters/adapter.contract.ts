import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from '../load.js';
import { type Fixture, Pod, until } from '../processes.js';
import { Upstream } from './upstream.js';

/** Where one test runs: what its versions have in common. */
export interface AdapterRoom {
  /** For configuration files; gone after the test. */
  directory: string;
  /** The port that clients use, on 127.0.0.1. */
  port: number;
  /** `/held` has to be forwarded to this port of 127.0.0.1. */
  upstreamPort: number;
}

/** How one version is run: options of `sidestep-agent run` beside `--adapter`, CMD, and variables. */
export interface AdapterRun {
  options?: string[];
  command: string[];
  env?: Record<string, string>;
}

/** One kind of program, with the real program behind it. */
export interface AdapterSubject {
  /** As on the command line. */
  adapter: string;
  /** A version that answers everything but `/held` with its label as the body. */
  version(label: string, room: AdapterRoom): AdapterRun;
  /** A version that starts and never becomes ready. */
  unready(room: AdapterRoom): AdapterRun;
  /** A version that ends with an error when it starts. */
  broken(room: AdapterRoom): AdapterRun;
  /** Set for programs of several processes, which end together only in a pid namespace. Needs root. */
  contained?: boolean;
  /** Set when the program itself cuts kept-alive connections as it leaves; its page in docs says so. */
  cutsKeptConnections?: boolean;
}

const isOwner = ({ role }: { role?: string }) => role === 'owner';
const SLOW_TEST_MS = 180_000;
/** Whatever else the machine does meanwhile. */
const PATIENCE_MS = 90_000;

/** What is promised of every adapter under which the agent owns the sockets. */
export function adapterContract(subject: AdapterSubject): void {
  describe(`the ${subject.adapter} adapter`, () => {
    let pod: Pod;
    let upstream: Upstream;
    let load: Load | undefined;
    beforeEach(async () => {
      pod = await Pod.create();
      upstream = await Upstream.start();
    });
    afterEach(async () => {
      await load?.stop();
      load = undefined;
      await pod.close();
      await upstream.close();
    });

    const room = (): AdapterRoom => ({ directory: pod.directory, port: pod.port, upstreamPort: upstream.port });
    const start = ({ options = [], command, env = {} }: AdapterRun, more: Record<string, string> = {}): Fixture =>
      pod[subject.contained ? 'container' : 'agent'](
        ['run', '--adapter', subject.adapter, ...options, '--', ...command],
        { SIDESTEP_GUARD_SECONDS: '1', ...env, ...more },
      );
    const version = (label: string, more: Record<string, string> = {}): Fixture =>
      start(subject.version(label, room()), more);
    const serving = async (label: string, more: Record<string, string> = {}): Promise<Fixture> => {
      const fixture = version(label, more);
      await fixture.heard(isOwner, PATIENCE_MS);
      return fixture;
    };
    const clients = async (): Promise<Load> => {
      const keepAlive = subject.cutsKeptConnections ? 0 : 4;
      load = new Load({ port: pod.port, short: 4, keepAlive, pauseMs: 2 });
      await load.answered(20);
      return load;
    };
    const answeredBy = async (label: string, running: Load): Promise<void> => {
      const before = running.seen.versions.get(label) ?? 0;
      await until(() => (running.seen.versions.get(label) ?? 0) > before + 20, `${label} answers`, PATIENCE_MS);
    };
    const nothingLost = async (running: Load): Promise<void> => {
      const { refused, otherErrors } = await running.stop();
      expect({ refused, otherErrors }).toEqual({ refused: 0, otherErrors: [] });
    };

    test(
      'starts the program and hands its sockets from version to version without losing a request',
      async () => {
        const first = await serving('v1');
        const running = await clients();
        const second = await serving('v2');
        await answeredBy('v2', running);
        expect((await first.exited).code).toBe(0);
        const third = await serving('v3');
        await answeredBy('v3', running);
        expect((await second.exited).code).toBe(0);
        await nothingLost(running);
        expect(third.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version that never becomes ready is given up, and the old one serves on',
      async () => {
        const first = await serving('v1');
        const running = await clients();
        const second = start(subject.unready(room()), { SIDESTEP_INIT_SECONDS: '2' });
        expect((await second.exited).code).toBe(1);
        await answeredBy('v1', running);
        await serving('v2');
        await answeredBy('v2', running);
        expect((await first.exited).code).toBe(0);
        await nothingLost(running);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version that fails at its start leaves the old one serving, and says so in the termination message',
      async () => {
        const log = join(pod.directory, 'termination-log');
        writeFileSync(log, '');
        await serving('v1');
        const running = await clients();
        const second = start(subject.broken(room()), { SIDESTEP_TERMINATION_LOG: log });
        expect((await second.exited).code).toBe(1);
        expect(readFileSync(log, 'utf8')).toContain('ended');
        await answeredBy('v1', running);
        await nothingLost(running);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version killed while it starts changes nothing, and the next attempt works',
      async () => {
        const first = await serving('v1');
        const running = await clients();
        const second = version('v2');
        await first.heard('asked-for-listeners');
        second.child.kill('SIGKILL');
        await second.exited;
        await answeredBy('v1', running);
        await serving('v3');
        await answeredBy('v3', running);
        // What the killed one had accepted by then is cut; nothing is refused.
        expect((await running.stop()).refused).toBe(0);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version killed after the commit is replaced by the old one, and nobody is refused',
      async () => {
        const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
        const running = await clients();
        const second = await serving('v2');
        await answeredBy('v2', running);
        second.child.kill('SIGKILL');
        await first.heard('resumed', PATIENCE_MS);
        await answeredBy('v1', running);
        const third = await serving('v3');
        await answeredBy('v3', running);
        expect((await running.stop()).refused).toBe(0);
        expect(third.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'SIGTERM while it drains lets the old one finish what it has, and it takes nothing new',
      async () => {
        const first = await serving('v1');
        const held = get(pod.port, '/held');
        await until(() => upstream.held === 1, 'the request is at the upstream');
        await serving('v2');
        first.child.kill('SIGTERM');
        await until(() => everyOne(pod.port, 'v2'), 'only the new version answers');
        expect(first.running).toBe(true);
        upstream.release();
        expect(await held).toBe('late');
        expect((await first.exited).code).toBe(0);
      },
      SLOW_TEST_MS,
    );

    test(
      'SIGTERM with no successor lets it finish what it has',
      async () => {
        const only = await serving('v1');
        const held = get(pod.port, '/held');
        await until(() => upstream.held === 1, 'the request is at the upstream');
        only.child.kill('SIGTERM');
        await until(() => refused(pod.port), 'nobody listens any more');
        expect(only.running).toBe(true);
        upstream.release();
        expect(await held).toBe('late');
        expect((await only.exited).code).toBe(0);
      },
      SLOW_TEST_MS,
    );
  });
}

/** The body of one answer over a connection of its own. */
export function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => {
        body += chunk;
      });
      answer.on('end', () => resolve(body));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function everyOne(port: number, label: string): Promise<boolean> {
  for (let i = 0; i < 20; i++) if ((await get(port, '/')) !== label) return false;
  return true;
}

/** Whether nobody listens there. */
export function refused(port: number): Promise<boolean> {
  return get(port, '/').then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED',
  );
}
