import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Message } from '../protocol/messages.js';
import type { GiverEvent } from './giver-state.js';
import { ACK, AUTH, BEGIN, HELLO, PREPARED, play, SERVING, say, TO_COMMIT } from './giver-walk.contract.js';
import { DEFAULT_LIMITS } from './time-limits.js';
import { spaced } from './walk.contract.js';

describe('the guard', () => {
  const ticksUntil = (end: number): [number, GiverEvent][] =>
    Array.from({ length: Math.floor(end / 50) }, (_, i) => [50 * (i + 1), { type: 'tick' }]);

  test('a silent successor is covered for after 250 ms, once', () => {
    const { did, state } = play([...TO_COMMIT, ...ticksUntil(600)]);
    expect(state.covering).toBe(true);
    expect(did.filter((action) => action === 'accept-again')).toHaveLength(1);
    expect(play([...TO_COMMIT, ...ticksUntil(250)]).state.covering).toBe(false);
  });

  test('its first word ends the cover', () => {
    const { did, state } = play([...TO_COMMIT, ...ticksUntil(600), [610, say({ type: 'PONG' })]]);
    expect(state.covering).toBe(false);
    expect(did.slice(-2)).toEqual(['stop-accepting', 'drain']);
  });

  test('a word that cannot be read is a sign of life like any other, and no refusal', () => {
    const unreadable: GiverEvent = { type: 'unreadable' };
    expect(play([...TO_COMMIT, ...ticksUntil(600), [610, unreadable]]).did.slice(-2)).toEqual([
      'stop-accepting',
      'drain',
    ]);
    const { state, said } = play([...TO_COMMIT, unreadable]);
    expect(state.phase).toBe('guarding');
    expect(said).not.toContain('ABORT');
    expect(play([...TO_COMMIT, unreadable, { type: 'eof' }]).did).toContain('own-again');
  });

  test('a late timer is this process not running, and no silence of the successor', () => {
    const { did } = play([...TO_COMMIT, [2_000, { type: 'tick' }], [2_050, { type: 'tick' }]]);
    expect(did).not.toContain('accept-again');
  });

  test('silent to the end of the guard counts as dead', () => {
    const { did } = play([...TO_COMMIT, ...ticksUntil(DEFAULT_LIMITS.guardMs + 50)]);
    expect(did).toContain('own-again');
  });

  test('asked to end beside a silent successor, it waits for the whole guard before it takes that for dead', () => {
    const sigterm: [number, GiverEvent] = [600, { type: 'sigterm' }];
    const later = ticksUntil(9_000).filter(([at]) => at > 600);
    const waiting = play([...TO_COMMIT, ...ticksUntil(550), sigterm, ...later]);
    expect(waiting.state).toMatchObject({ phase: 'guarding', covering: true });
    expect(waiting.did).not.toContain('own-again');
    const silent = ticksUntil(DEFAULT_LIMITS.guardMs + 50).filter(([at]) => at > 600);
    expect(play([...TO_COMMIT, ...ticksUntil(550), sigterm, ...silent]).did).toContain('own-again');
  });

  test('asked to end, it ends once a successor that was silent has spoken and everything is drained', () => {
    const walk: [number, GiverEvent][] = [
      [600, { type: 'sigterm' }],
      [2_000, { type: 'tick' }],
      [3_000, say({ type: 'PONG' })],
      [3_010, { type: 'drained', migrated: 1, drained: 0, killed: 0 }],
    ];
    const { did } = play([...TO_COMMIT, ...ticksUntil(550), ...walk]);
    expect(did.slice(-5)).toEqual(['stop-accepting', 'drain', 'send', 'end', 'close']);
    expect(did).not.toContain('own-again');
  });

  test.each<[string, GiverEvent]>([
    ['its end', { type: 'eof' }],
    ['its ABORT', say({ type: 'ABORT', reason: 'x', message: '', retryAfterMs: 0 })],
  ])('%s makes the old one owner again', (_, event) => {
    expect(play([...TO_COMMIT, event]).did).toContain('own-again');
  });

  test('the end of a successor that has been succeeded itself is none', () => {
    const { did } = play([...TO_COMMIT, say({ type: 'RELEASE' }), { type: 'eof' }]);
    expect(did).not.toContain('own-again');
    const drained: GiverEvent = { type: 'drained', migrated: 0, drained: 0, killed: 0 };
    expect(play([...TO_COMMIT, say({ type: 'RELEASE' }), { type: 'eof' }, drained]).did).toContain('end');
  });
});

describe('whatever a peer sends in whatever order', () => {
  const messages: Message[] = [
    HELLO,
    AUTH,
    ACK,
    PREPARED,
    SERVING,
    { type: 'PONG' },
    { type: 'RELEASE' },
    { type: 'PROGRESS', stage: '' },
    { type: 'ABORT', reason: 'x', message: '', retryAfterMs: 0 },
    { type: 'GO' },
    { type: 'ERR', unknown: 99, of: 1 },
  ];
  const event = fc.oneof<fc.Arbitrary<GiverEvent>[]>(
    fc.constantFrom(...messages).map(say),
    fc.constantFrom<GiverEvent>(
      { type: 'tick' },
      { type: 'eof' },
      { type: 'unreadable' },
      { type: 'sigterm' },
      { type: 'drained', migrated: 0, drained: 0, killed: 0 },
    ),
  );
  const walk = fc.array(fc.tuple(fc.nat(3_000), event), { maxLength: 25 });

  test('the process accepts, or its successor said SERVING and has not failed', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { did } = play([BEGIN, say(HELLO), say(AUTH), ...spaced(steps)]);
        const changes = did.filter((d) => d === 'stop-accepting' || d === 'accept-again' || d === 'own-again');
        // Never two stops without an accept between them, and no accept before a stop.
        changes.forEach((change, index) => {
          if (change === 'stop-accepting') expect(changes[index - 1] ?? 'accept-again').toBe('accept-again');
          if (change === 'accept-again') expect(changes[index - 1]).toBe('stop-accepting');
        });
        expect(changes.includes('own-again') && changes.at(-1) !== 'own-again').toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  test('the conversation closes once, and nothing happens after that', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { did } = play([BEGIN, ...spaced(steps)]);
        const closes = did.filter((d) => d === 'close').length;
        expect(closes).toBeLessThanOrEqual(1);
        if (closes === 1) expect(did.at(-1)).toBe('close');
      }),
      { numRuns: 3_000 },
    );
  });
});
