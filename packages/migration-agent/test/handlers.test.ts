import { describe, expect, test } from '@jest/globals';
import type { TakeoverEvents, TakeoverOptions } from '../src/takeover/api.js';
import { portOf, usePair } from './pair.js';
import { until } from './processes.js';
import { RawClient, serverSaying } from './raw-client.js';

const stage = usePair();

const listeners = { web: '127.0.0.1:0' };

/** What the next version answers once it owns the listener, and what has become of the version before. */
async function handedOver(
  first: Partial<TakeoverOptions>,
  second: Partial<TakeoverOptions>,
  on?: keyof TakeoverEvents,
) {
  const thrown: string[] = [];
  const failing = () => {
    thrown.push(on!);
    throw new Error('the handler fails');
  };
  const old = await stage.pair.begin({ listeners, ...first });
  if (on && on !== 'counters') old.on(on, failing);
  const resumed: string[] = [];
  old.on('resume', (cause) => resumed.push(cause));
  await old.serve('web', serverSaying('old')).ready();
  const next = await stage.pair.begin({ listeners, ...second });
  if (on === 'counters') next.on(on, failing);
  await next.serve('web', serverSaying('new')).ready();
  const answer = await new RawClient(portOf(next, 'web')).ask();
  expect(await old.done).toMatchObject({ reason: 'drained', killed: 0 });
  expect(resumed).toEqual([]);
  expect(next.status().role).toBe('owner');
  return { answer, thrown };
}

describe('what a program does when it is told of a hand-over', () => {
  test.each<keyof TakeoverEvents>(['retire', 'role', 'counters'])(
    'throws: %s, and the hand-over stands',
    async (on) => {
      const events: string[] = [];
      const log = (event: string): void => void events.push(event);
      const { answer, thrown } = await handedOver({ log, counters: () => ({ a: 1 }) }, { log }, on);
      expect(answer).toContain('new END');
      expect(thrown).toContain(on);
      expect(events).toContain('handler-failed');
    },
  );

  test.each(['cold', 'asked-for-listeners', 'succeeded', 'takeover'])(
    'its log throws at "%s", and the hand-over stands',
    async (at) => {
      let threw = false;
      const log = (event: string): void => {
        if (event !== at) return;
        threw = true;
        throw new Error('the log fails');
      };
      expect((await handedOver({ log }, { log })).answer).toContain('new END');
      await until(() => threw, 'the log has thrown');
    },
  );

  test('a handler that throws keeps no other from being told', async () => {
    const old = await stage.pair.begin({ listeners });
    const told: string[] = [];
    old.on('retire', () => {
      throw new Error('the handler fails');
    });
    old.on('retire', () => told.push('retire'));
    await old.serve('web', serverSaying('old')).ready();
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    await old.done;
    expect(told).toEqual(['retire']);
  });
});
