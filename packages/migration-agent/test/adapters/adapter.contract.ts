import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Fixture, until } from '../processes.js';
import { serving as isServing, PATIENCE_MS, SLOW_TEST_MS, useStage } from '../stage.js';

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
  /** What the program itself may cut each time that one leaves; its page in docs says so. */
  mayCut?: 'kept connections' | 'any connection';
  /** Set when the program closes its sockets only by ending: without a successor clients wait in them until then. */
  keepsSocketsOpen?: boolean;
}

/** Connections that each send one POST after another, and clients that connect for each request. */
const KEPT = 4;
const SHORT = 4;
/** Nobody takes longer who accepts at all. */
const UNANSWERED_MS = 1_000;

/** What is promised of every adapter under which the agent owns the sockets. */
export function adapterContract(subject: AdapterSubject): void {
  describe(`the ${subject.adapter} adapter`, () => {
    const stage = useStage();
    const room = (): AdapterRoom => {
      const { pod, upstream } = stage;
      return { directory: pod.directory, port: pod.port, upstreamPort: upstream.port };
    };
    const start = ({ options = [], command, env = {} }: AdapterRun, more: Record<string, string> = {}): Fixture =>
      stage.pod.agent(['run', '--adapter', subject.adapter, ...options, '--', ...command], {
        SIDESTEP_GUARD_SECONDS: '1',
        ...env,
        ...more,
      });
    const version = (label: string, more: Record<string, string> = {}): Fixture =>
      start(subject.version(label, room()), more);
    const serving = (label: string, more: Record<string, string> = {}) => isServing(version(label, more));
    const clients = () => stage.clients({ keepAlive: KEPT, short: SHORT });
    /** What the old one may cut as it leaves is asked for again. */
    const onlyAnswers = (label: string): Promise<boolean> =>
      everyOne(stage.pod.port, label).catch((error: unknown) => {
        if (subject.mayCut === 'any connection') return false;
        throw error;
      });
    /** @param departures how often a version has left in good order meanwhile */
    const nothingLost = async (departures: number): Promise<void> => {
      if (!subject.mayCut) return stage.nothingLost();
      // Of each client it may cut the one request that is on its way as it leaves.
      const atMost = subject.mayCut === 'kept connections' ? KEPT : KEPT + SHORT;
      const [seen] = await stage.nobodyRefused();
      expect(seen!.otherErrors.filter((error) => error !== 'ECONNRESET' && error !== 'EPIPE')).toEqual([]);
      expect(seen!.otherErrors.length).toBeLessThanOrEqual(departures * atMost);
      // Else no connection was kept, and what became of those was not seen.
      expect(seen!.connections).toBeLessThan(seen!.ok);
    };

    const openConnections = async (slot: string): Promise<number> => {
      const asked = stage.pod.agent(['status', '--compact', '--slot', slot]);
      await asked.exited;
      return asked.told[0]?.connections?.open;
    };

    test(
      'starts the program and hands its sockets from version to version without losing a request',
      async () => {
        const first = await serving('v1');
        await clients();
        const second = await serving('v2');
        await stage.answeredBy('v2');
        expect((await first.exited).code).toBe(0);
        const third = await serving('v3');
        await stage.answeredBy('v3');
        expect((await second.exited).code).toBe(0);
        await nothingLost(2);
        expect(third.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version that never becomes ready is given up, and the old one serves on',
      async () => {
        const first = await serving('v1');
        await clients();
        const second = start(subject.unready(room()), { SIDESTEP_INIT_SECONDS: '2' });
        expect((await second.exited).code).toBe(1);
        expect(second.stderr).toContain(' was not ready within 2 s (');
        await stage.answeredBy('v1');
        await serving('v2');
        await stage.answeredBy('v2');
        expect((await first.exited).code).toBe(0);
        // The one that was given up has served beside the old one, and leaves as well.
        await nothingLost(2);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version that fails at its start leaves the old one serving, and says so in the termination message',
      async () => {
        const log = join(stage.pod.directory, 'termination-log');
        writeFileSync(log, '');
        await serving('v1');
        await clients();
        const second = start(subject.broken(room()), { SIDESTEP_TERMINATION_LOG: log });
        expect((await second.exited).code).toBe(1);
        expect(readFileSync(log, 'utf8')).toMatch(/ ended with code \d+ before it was ready \(/);
        await stage.answeredBy('v1');
        await nothingLost(0);
      },
      SLOW_TEST_MS,
    );

    test(
      'a version killed while it starts changes nothing, and the next attempt works',
      async () => {
        const first = await serving('v1');
        await clients();
        const second = version('v2');
        await first.heard('asked-for-listeners');
        second.child.kill('SIGKILL');
        await second.exited;
        await stage.answeredBy('v1');
        await serving('v3');
        await stage.answeredBy('v3');
        // What the killed one had accepted by then is cut; nothing is refused.
        await stage.nobodyRefused();
      },
      SLOW_TEST_MS,
    );

    test(
      'a version killed after the commit is replaced by the old one, and nobody is refused',
      async () => {
        const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
        await clients();
        const second = await serving('v2');
        await stage.answeredBy('v2');
        second.child.kill('SIGKILL');
        await first.heard('resumed', PATIENCE_MS);
        await stage.answeredBy('v1');
        const third = await serving('v3');
        await stage.answeredBy('v3');
        await stage.nobodyRefused();
        expect(third.running).toBe(true);
      },
      SLOW_TEST_MS,
    );

    test(
      'SIGTERM while it drains lets the old one finish what it has, and it takes nothing new',
      async () => {
        const first = await serving('v1', { SIDESTEP_SLOT: 'old' });
        const held = get(stage.pod.port, '/held');
        await until(() => stage.upstream.held === 1, 'the request is at the upstream');
        await serving('v2');
        first.child.kill('SIGTERM');
        await until(() => onlyAnswers('v2'), 'only the new version answers');
        await until(async () => (await openConnections('old')) === 1, 'it says what it has left', PATIENCE_MS);
        expect(first.running).toBe(true);
        stage.upstream.release();
        expect(await held).toBe('late');
        expect((await first.exited).code).toBe(0);
      },
      SLOW_TEST_MS,
    );

    test(
      'SIGTERM with no successor lets it finish what it has',
      async () => {
        const only = await serving('v1');
        const held = get(stage.pod.port, '/held');
        await until(() => stage.upstream.held === 1, 'the request is at the upstream');
        only.child.kill('SIGTERM');
        const stopped = async (): Promise<boolean> =>
          subject.keepsSocketsOpen ? !(await answered(stage.pod.port)) : refused(stage.pod.port);
        await until(stopped, 'nobody is let in any more');
        expect(only.running).toBe(true);
        stage.upstream.release();
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

/** Whether a new connection is answered soon. */
function answered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path: '/', agent: false }, (answer) => {
      answer.resume();
      resolve(true);
    });
    sent.setTimeout(UNANSWERED_MS, () => sent.destroy());
    sent.once('close', () => resolve(false));
    sent.once('error', () => undefined);
    sent.end();
  });
}

/** Whether nobody listens there. */
export function refused(port: number): Promise<boolean> {
  return get(port, '/').then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED',
  );
}
