import { describe, expect, test } from '@jest/globals';
import type { Message } from '../protocol/messages.js';
import { giverDeadline } from './giver.js';
import type { GiverContext, GiverEvent } from './giver-state.js';
import {
  ACK,
  AUTH,
  abortReason,
  BEGIN,
  context,
  HELLO,
  PREPARED,
  play,
  SERVING,
  say,
  TO_COMMIT,
  TO_PREPARING,
} from './giver-walk.contract.js';
import { DEFAULT_LIMITS } from './time-limits.js';

describe('the old side, step by step', () => {
  test('a whole hand-over: challenge, offer, state, go, stop, commit, drain', () => {
    const { state, said, did } = play(TO_COMMIT);
    expect(state.phase).toBe('guarding');
    expect(said).toEqual(['CHALLENGE', 'GO', 'COMMITTED']);
    expect(did).toEqual(['send', 'claim', 'offer', 'state', 'send', 'stop-accepting', 'send', 'count', 'drain']);
  });

  test('STATE follows the last OFFER without waiting for its ACK, and never an earlier one', () => {
    expect(play([BEGIN, say(HELLO), say(AUTH)]).did.at(-1)).toBe('state');
    const { did } = play([BEGIN, say(HELLO), say(AUTH)], context({ offerFrames: 17 }));
    expect(did).not.toContain('state');
  });

  test('it stops accepting before it says COMMITTED', () => {
    const { did } = play(TO_COMMIT);
    expect(did.indexOf('stop-accepting')).toBeLessThan(did.lastIndexOf('send'));
  });

  test('offers more frames only as earlier ones are acknowledged, 16 at most at once', () => {
    const ctx = context({ offerFrames: 20 });
    const first = play([BEGIN, say(HELLO), say(AUTH)], ctx);
    expect(first.did.filter((did) => did === 'offer')).toHaveLength(16);
    const all = play([BEGIN, say(HELLO), say(AUTH), ...Array.from({ length: 20 }, () => say(ACK))], ctx);
    expect(all.did.filter((did) => did === 'offer')).toHaveLength(20);
    expect(all.state.phase).toBe('preparing');
  });

  test('a custodian gets the sockets and never claims anything', () => {
    const { state, did } = play([BEGIN, say({ ...HELLO, role: 'custodian' } as Message), say(AUTH), say(ACK)]);
    expect(state.phase).toBe('keeping');
    expect(did).not.toContain('claim');
  });

  test('BYE comes only after guard and drain', () => {
    const drained: GiverEvent = { type: 'drained', migrated: 1, drained: 2, killed: 0 };
    const early = play([...TO_COMMIT, drained]);
    expect(early.did).not.toContain('end');
    const { guardMs } = DEFAULT_LIMITS;
    const late = play([...TO_COMMIT, drained, [guardMs, say({ type: 'PONG' })], [guardMs + 100, { type: 'tick' }]]);
    expect(late.did.slice(-3)).toEqual(['send', 'end', 'close']);
    expect(late.said.at(-1)).toBe('BYE');
  });

  test('SIGTERM after the commit shortens the guard', () => {
    const drained: GiverEvent = { type: 'drained', migrated: 0, drained: 0, killed: 0 };
    const { state } = play([...TO_COMMIT, { type: 'sigterm' }, drained]);
    expect(state.deadline).toBe(state.committedAt + DEFAULT_LIMITS.guardAfterSigtermMs);
  });

  test('SIGTERM before the commit lets the hand-over go on', () => {
    const { did } = play([...TO_PREPARING, { type: 'sigterm' }, say(PREPARED), say(SERVING)]);
    expect(did).toContain('drain');
  });

  test('but a taker that is slow then is not waited for as long as otherwise', () => {
    const { state } = play([...TO_PREPARING, [10, { type: 'sigterm' }]]);
    expect(state.deadline).toBe(10 + DEFAULT_LIMITS.handoverAfterSigtermMs);
  });

  test('what was accepted while covering is drained before the end, also if the first drain was over', () => {
    const drained: GiverEvent = { type: 'drained', migrated: 0, drained: 0, killed: 0 };
    const covered: [number, GiverEvent][] = Array.from({ length: 8 }, (_, i) => [50 * (i + 1), { type: 'tick' }]);
    const walk = [...TO_COMMIT, drained, ...covered, [450, say({ type: 'PONG' })] as [number, GiverEvent]];
    expect(play([...walk, [10_500, { type: 'tick' }]]).did).not.toContain('end');
    expect(play([...walk, drained, [10_050, say({ type: 'PONG' })], [10_500, { type: 'tick' }]]).did).toContain('end');
  });
});

describe('the old side refuses', () => {
  const wrongMac: Message = { type: 'AUTH', mac: '0'.repeat(64) };
  test.each<[string, GiverEvent[], Partial<GiverContext>, string]>([
    ['another user', [{ type: 'connected', uid: 65534 }], {}, 'auth-failed'],
    ['a wrong proof', [BEGIN, say(HELLO), say(wrongMac)], {}, 'auth-failed'],
    ['a protocol that is too new', [BEGIN, say({ ...HELLO, min: 2, max: 3 } as Message)], {}, 'version-mismatch'],
    [
      'a second taker',
      [BEGIN, say(HELLO), say(AUTH)],
      { refusal: { reason: 'busy', message: '', retryAfterMs: 9 } },
      'busy',
    ],
    ['a message out of order', [BEGIN, say(SERVING)], {}, 'out-of-order'],
    ['SERVING before PREPARED', [...TO_PREPARING, say(SERVING)], {}, 'out-of-order'],
    [
      'a taker that found a fault',
      [...TO_PREPARING, say({ ...PREPARED, errors: ['web: no socket'] } as Message)],
      {},
      'listener-fault',
    ],
  ])('%s', (_, events, changes, reason) => {
    const { state, actions, did } = play(events, context(changes));
    expect(abortReason(actions)).toBe(reason);
    expect(state.phase).toBe('closed');
    expect(did).not.toContain('stop-accepting');
  });

  test('a stranger learns nothing: no socket is offered before the proof', () => {
    expect(play([BEGIN, say(HELLO)]).did).not.toContain('offer');
  });
});

describe('deadlines of the old side', () => {
  test.each<[string, GiverEvent[]]>([
    ['no HELLO', [BEGIN]],
    ['no AUTH', [BEGIN, say(HELLO)]],
    ['no ACK', [BEGIN, say(HELLO), say(AUTH)]],
    ['no sign of life while the program starts', TO_PREPARING],
    ['no SERVING', [...TO_PREPARING, say(PREPARED)]],
  ])('%s: it goes back to serving', (_, events) => {
    const before = play(events);
    const due = giverDeadline(before.state, DEFAULT_LIMITS)!;
    expect(play([...events, [due - 1, { type: 'tick' }]]).state.phase).toBe(before.state.phase);
    const after = play([...events, [due, { type: 'tick' }]]);
    expect(after.state.phase).toBe('closed');
    expect(after.did).not.toContain('stop-accepting');
  });

  test('a starting program may take its whole time as long as its agent speaks', () => {
    const progress = Array.from({ length: 50 }, (_, i): [number, GiverEvent] => [
      i * 1_000 + 10,
      say({ type: 'PROGRESS', stage: '' }),
    ]);
    expect(play([...TO_PREPARING, ...progress, [50_000, { type: 'tick' }]]).state.phase).toBe('preparing');
    expect(play([...TO_PREPARING, ...progress, [60_100, { type: 'tick' }]]).state.phase).toBe('closed');
  });
});
