import { Agent, get } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Load } from './load.js';
import { type Fixture, Pod } from './processes.js';

/** Above every wait of a test, so that a wait in vain says what it waited for; a machine that stands still uses none of those up. */
jest.setTimeout(600_000);

/** The table "Who wins on death" of docs/reference/takeover-protocol.md, one test per arrow. */
let pod: Pod;
let load: Load;
let old: Fixture;

beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(async () => {
  await load.stop();
  await pod.close();
});

const SLOTS = 6;
const HANG_MS = 5_000;
/** A guard that a slow machine does not use up before the death that it is for. */
const LONG_GUARD = { guardMs: 60_000 };
const PATIENCE_MS = 60_000;
/** No step of a hand-over between two processes that live takes that long, so that each attempt must count. */
const PATIENT = {
  coldStartMs: PATIENCE_MS,
  connectMs: PATIENCE_MS,
  offerMs: PATIENCE_MS,
  progressMs: PATIENCE_MS,
  goMs: PATIENCE_MS,
  servingMs: PATIENCE_MS,
  commitMs: PATIENCE_MS,
};
/** Only where the limits of the old one are what is tested, and therefore short: a slow machine lets those pass, too. */
const MOST_ATTEMPTS = 5;

interface Options extends Record<string, unknown> {
  limits?: object;
}

const patient = ({ limits, ...options }: Options): Options => ({ ...options, limits: { ...PATIENT, ...limits } });

/** Only where a process hangs with requests inside do clients have to give up; else a slow machine must not make them. */
async function startOld(options: Options = {}, timeoutMs = 30_000): Promise<void> {
  old = pod.server('old', patient(options));
  await old.heard('owner');
  load = new Load({ port: pod.port, short: SLOTS, pauseMs: 3, timeoutMs });
  await load.answered(20);
}

/** Tries again, as whoever starts containers would, only where it may take more than one attempt. */
async function comesTo(wanted: string, version: string, options: Options = {}, attempts = 1): Promise<Fixture> {
  const failures: unknown[] = [];
  while (failures.length < attempts) {
    const fixture = pod.server(version, patient(options));
    const told = await fixture.heard(({ event }) => event === wanted || event === 'failed');
    if (told.event === wanted) return fixture;
    failures.push(told);
  }
  throw new Error(`each of ${attempts} attempts has failed: ${JSON.stringify(failures)}`);
}

const dyingAt = (point: string, signal: 'SIGKILL' | 'SIGSTOP', attempts = 1): Promise<Fixture> =>
  comesTo('interrupted', 'new', { interrupt: { point, signal } }, attempts);

/** An attempt that nothing disturbs must succeed whatever was before it. */
async function laterAttemptSucceeds(attempts = 1): Promise<void> {
  await comesTo('owner', 'later', {}, attempts);
  await load.answered(20);
  expect(load.seen.versions.get('later')).toBeGreaterThan(0);
}

const KILLED_NEW = [
  'taker:send:HELLO',
  'taker:got:CHALLENGE',
  'taker:send:AUTH',
  'taker:got:OFFER',
  'taker:send:ACK',
  'taker:got:STATE',
  'taker:send:PREPARED',
  'taker:got:GO',
  'taker:send:SERVING',
];

describe('the new process dies before the commit: the old one serves on and nobody notices', () => {
  test.each(KILLED_NEW)('killed at %s', async (point) => {
    await startOld();
    await (await dyingAt(point, 'SIGKILL')).exited;
    await load.answered(30);
    expect(load.seen.refused).toBe(0);
    // From SERVING on the new one accepts too: what it holds when it dies is reset, at most one request per client.
    const allowed = point === 'taker:send:SERVING' ? SLOTS : 0;
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(allowed);
    expect(load.seen.versions.has('new')).toBe(false);
    await laterAttemptSucceeds();
    expect(load.seen.refused).toBe(0);
  });
});

describe('the new process hangs before the commit: its deadline passes and the old one serves on', () => {
  test.each(['taker:got:CHALLENGE', 'taker:got:OFFER', 'taker:got:STATE', 'taker:got:GO'])(
    'stopped at %s',
    async (point) => {
      await startOld({ limits: { connectMs: 1_000, offerMs: 1_000, progressMs: 2_000, servingMs: 1_000 } });
      const hanging = await dyingAt(point, 'SIGSTOP', MOST_ATTEMPTS);
      await old.heard((told) => told.what === 'keeps-serving' || (point === 'taker:got:CHALLENGE' && old.running));
      await load.answered(30);
      expect(load.seen.refused).toBe(0);
      expect(load.seen.otherErrors).toEqual([]);
      hanging.child.kill('SIGKILL');
      await laterAttemptSucceeds(MOST_ATTEMPTS);
    },
  );
});

describe('the new process fails after the commit: the old one serves again', () => {
  test('killed right after COMMITTED: nobody is refused', async () => {
    await startOld({ limits: LONG_GUARD });
    await (await dyingAt('taker:got:COMMITTED', 'SIGKILL')).exited;
    await old.heard('resume');
    await load.answered(30);
    expect(load.seen.refused).toBe(0);
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS);
    await laterAttemptSucceeds();
    expect(load.seen.refused).toBe(0);
  });

  test('killed while it has served for a while: nobody is refused', async () => {
    await startOld({ limits: LONG_GUARD });
    const next = await comesTo('owner', 'new');
    await load.answered(100);
    expect(load.seen.versions.get('new')).toBeGreaterThan(0);
    next.child.kill('SIGKILL');
    await old.heard('resume');
    await load.answered(30);
    expect(load.seen.refused).toBe(0);
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS);
  });

  test('stopped: the old one covers for it, and stops again when it wakes', async () => {
    await startOld({ limits: LONG_GUARD }, HANG_MS);
    const next = await comesTo('owner', 'new');
    next.child.kill('SIGSTOP');
    await old.heard((told) => told.what === 'accepting-again');
    await load.answered(30);
    expect(load.seen.refused).toBe(0);
    // Requests the stopped process had accepted time out; every client is through to the old one after that.
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS);
    next.child.kill('SIGCONT');
    await old.heard((told) => told.what === 'not-needed-any-more');
    const before = load.seen.versions.get('new') ?? 0;
    await load.answered(50);
    expect(load.seen.versions.get('new')).toBeGreaterThan(before);
  });

  test('stopped until the guard is over: the old one owns the listeners again and hands them over later', async () => {
    await startOld({ limits: { guardMs: 3_000 } }, HANG_MS);
    await dyingAt('taker:got:COMMITTED', 'SIGSTOP');
    expect((await old.heard('resume')).cause).toContain('hung');
    await laterAttemptSucceeds();
    expect(load.seen.refused).toBe(0);
  });
});

describe('connections that were offered to a process that hangs', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterEach(() => agent.destroy());

  /** Which version answers on the one kept-alive connection. */
  const answeredBy = (): Promise<string> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: pod.port, agent }, (response) => {
        response.setEncoding('utf8').once('data', resolve).once('error', reject);
      }).once('error', reject);
    });

  test('are read by nobody else while it may still take them, and by the old one again once it is dead', async () => {
    await startOld({ limits: { guardMs: 3_000 } }, HANG_MS);
    expect(await answeredBy()).toBe('old');
    const next = await dyingAt('taker:got:COMMITTED', 'SIGSTOP');
    await old.heard('resume');
    const answer = answeredBy();
    next.child.kill('SIGKILL');
    expect(await answer).toBe('old');
  });
});

describe('the old process dies', () => {
  test.each([
    'giver:got:ACK',
    'giver:send:STATE',
    'giver:got:PREPARED',
    'giver:send:GO',
    'giver:got:SERVING',
    'giver:send:COMMITTED',
  ])('at %s, when the sockets have come: the new one promotes itself and nobody is refused', async (point) => {
    await startOld({ interrupt: { point, signal: 'SIGKILL' } });
    const next = await comesTo('owner', 'new');
    expect((await next.heard('owner')).status.handover.how).toBe('promoted');
    await load.answered(30);
    expect(load.seen.refused).toBe(0);
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS);
    await laterAttemptSucceeds();
  });

  test.each(['giver:got:HELLO', 'giver:send:CHALLENGE', 'giver:got:AUTH'])(
    'at %s, before any socket has come: the new one binds the addresses itself',
    async (point) => {
      await startOld({ interrupt: { point, signal: 'SIGKILL' } });
      const next = await comesTo('owner', 'new');
      expect((await next.heard('owner')).status.handover.how).toBe('cold');
      await load.answered(30);
      await laterAttemptSucceeds();
    },
  );

  test('while it drains after the commit: the new one does not care', async () => {
    await startOld({ limits: LONG_GUARD });
    await comesTo('owner', 'new');
    old.child.kill('SIGKILL');
    await old.exited;
    await load.answered(50);
    expect(load.seen.refused).toBe(0);
    expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS);
    await laterAttemptSucceeds();
  });
});

test('10 failed attempts in alternation with 10 successful ones leave the chain as good as new', async () => {
  await startOld();
  for (let i = 0; i < 10; i++) {
    const point = KILLED_NEW[i % KILLED_NEW.length]!;
    const bad = await comesTo('interrupted', `bad-${i}`, { interrupt: { point, signal: 'SIGKILL' } });
    await bad.exited;
    await comesTo('owner', `good-${i}`, { limits: { guardMs: 50 } });
    await load.answered(5);
  }
  expect(load.seen.refused).toBe(0);
  expect(load.seen.otherErrors.length).toBeLessThanOrEqual(SLOTS * 2);
});
