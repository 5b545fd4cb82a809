import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Conversation, proofOf } from '../protocol/authentication.js';
import type { Message } from '../protocol/messages.js';
import { giverDeadline, reduceGiver } from './giver.js';
import { type GiverAction, type GiverContext, type GiverEvent, type GiverState, newGiver } from './giver-state.js';
import { DEFAULT_LIMITS } from './time-limits.js';

const secret = Buffer.alloc(32, 1);
const conversation: Conversation = {
  takerInstance: 'aa'.repeat(16),
  takerNonce: 'bb'.repeat(32),
  giverInstance: 'cc'.repeat(16),
  giverNonce: 'dd'.repeat(32),
};

function context(changes: Partial<GiverContext> = {}): GiverContext {
  return {
    limits: DEFAULT_LIMITS,
    instance: conversation.giverInstance,
    appVersion: 'v1',
    generation: 4,
    versions: { min: 1, max: 1 },
    features: ['conns'],
    nonce: conversation.giverNonce,
    secret,
    allowedUids: [1000],
    offerFrames: 1,
    refusal: undefined,
    connections: 7,
    ...changes,
  };
}

const HELLO: Message = {
  type: 'HELLO',
  min: 1,
  max: 1,
  instance: conversation.takerInstance,
  appVersion: 'v2',
  role: 'successor',
  features: ['conns'],
  nonce: conversation.takerNonce,
  wants: [],
};
const AUTH: Message = { type: 'AUTH', mac: proofOf(secret, 'taker', conversation) };
const ACK: Message = { type: 'ACK', of: 1, refused: [] };
const PREPARED: Message = { type: 'PREPARED', adopted: 1, unwanted: [], errors: [] };
const SERVING: Message = { type: 'SERVING' };
const say = (message: Message): GiverEvent => ({ type: 'message', message });

/** Plays events one millisecond apart; tells the end state and everything that was done. */
function play(events: (GiverEvent | [at: number, event: GiverEvent])[], ctx = context()) {
  let state: GiverState = newGiver(0, ctx.limits);
  let now = 0;
  const actions: GiverAction[] = [];
  for (const entry of events) {
    const [at, event] = Array.isArray(entry) ? entry : [now + 1, entry];
    now = at;
    const step = reduceGiver(state, event, now, ctx);
    state = step.state;
    actions.push(...step.actions);
  }
  return { state, actions, did: actions.map((action) => action.do), now };
}

const BEGIN: GiverEvent = { type: 'connected', uid: 1000 };
const TO_PREPARING = [BEGIN, say(HELLO), say(AUTH), say(ACK)];
const TO_COMMIT = [...TO_PREPARING, say(PREPARED), say(SERVING)];

/** Waits between events as points in time. */
function spaced(steps: [wait: number, event: GiverEvent][]): [at: number, event: GiverEvent][] {
  let now = 0;
  return steps.map(([wait, event]) => {
    now += wait;
    return [now, event];
  });
}

function said(actions: GiverAction[]): string[] {
  return actions.flatMap((action) => (action.do === 'send' ? [action.message.type] : []));
}

function abortReason(actions: GiverAction[]): string | undefined {
  const abort = actions.find((action) => action.do === 'send' && action.message.type === 'ABORT');
  return abort?.do === 'send' && abort.message.type === 'ABORT' ? abort.message.reason : undefined;
}

describe('the old side, step by step', () => {
  test('a whole hand-over: challenge, offer, state, go, stop, commit, drain', () => {
    const { state, actions, did } = play(TO_COMMIT);
    expect(state.phase).toBe('guarding');
    expect(said(actions)).toEqual(['CHALLENGE', 'GO', 'COMMITTED']);
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
    expect(said(late.actions).at(-1)).toBe('BYE');
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

  test('a late timer is this process not running, and no silence of the successor', () => {
    const { did } = play([...TO_COMMIT, [2_000, { type: 'tick' }], [2_050, { type: 'tick' }]]);
    expect(did).not.toContain('accept-again');
  });

  test('silent to the end of the guard counts as dead', () => {
    const { did } = play([...TO_COMMIT, ...ticksUntil(DEFAULT_LIMITS.guardMs + 50)]);
    expect(did).toContain('own-again');
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
