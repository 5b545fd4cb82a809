import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { proofOf } from '../protocol/authentication.js';
import type { Message } from '../protocol/messages.js';
import { reduceTaker } from './taker.js';
import { newTaker, type TakerAction, type TakerContext, type TakerEvent, type TakerState } from './taker-state.js';
import { DEFAULT_LIMITS } from './time-limits.js';
import { conversation, type Entry, secret, spaced, walk } from './walk.contract.js';

function context(changes: Partial<TakerContext> = {}): TakerContext {
  return {
    limits: DEFAULT_LIMITS,
    role: 'successor',
    instance: conversation.takerInstance,
    appVersion: 'v2',
    versions: { min: 1, max: 1 },
    features: ['conns'],
    nonce: conversation.takerNonce,
    secret,
    wants: ['web'],
    unwanted: [],
    ...changes,
  };
}

const CHALLENGE: Message = {
  type: 'CHALLENGE',
  version: 1,
  instance: conversation.giverInstance,
  appVersion: 'v1',
  generation: 4,
  features: ['conns'],
  nonce: conversation.giverNonce,
  proof: proofOf(secret, 'giver', conversation),
};
const LISTENER = { name: 'web', kind: 'tcp' as const, host: '127.0.0.1', port: 80, backlog: 1, cookie: '1' };
const OFFER: Message = { type: 'OFFER', index: 0, total: 1, state: true, listeners: [LISTENER] };
const STATE: Message = { type: 'STATE', ticketKeys: {}, counters: {}, appBytes: 0 };
const COMMITTED: Message = { type: 'COMMITTED', connections: 0, generation: 4 };
const ABORT: Message = { type: 'ABORT', reason: 'timeout', message: '', retryAfterMs: 0 };
const say = (message: Message, faults: string[] = []): TakerEvent => ({ type: 'message', message, seq: 5, faults });
const READY: TakerEvent = { type: 'program-ready' };
const ATTACHED: TakerEvent = { type: 'attached' };

function play(events: Entry<TakerEvent>[], ctx = context()) {
  const start: TakerState = newTaker(0, ctx.limits);
  return walk(start, events, (state, event, now) => reduceTaker(state, event, now, ctx));
}

const TO_IMPORTED: TakerEvent[] = [{ type: 'connected' }, say(CHALLENGE), say(OFFER), say(STATE)];
const TO_SERVING: TakerEvent[] = [...TO_IMPORTED, READY, say({ type: 'GO' }), ATTACHED];

describe('the new side, step by step', () => {
  test('a whole hand-over', () => {
    const { state, said, did } = play([...TO_SERVING, say(COMMITTED)]);
    expect(state.phase).toBe('owner');
    expect(said).toEqual(['HELLO', 'AUTH', 'ACK', 'PREPARED', 'SERVING']);
    expect(did.filter((action) => action !== 'send')).toEqual(['imported', 'attach', 'own']);
  });

  test('it does not say SERVING before it accepts', () => {
    expect(play(TO_SERVING.slice(0, -1)).said).not.toContain('SERVING');
  });

  test('it is not the owner before COMMITTED', () => {
    expect(play(TO_SERVING).did).not.toContain('own');
  });

  test('listeners that are not wanted or not what they claim are told in PREPARED', () => {
    const events = [...TO_IMPORTED.slice(0, 2), say(OFFER, ['web: no socket']), say(STATE), READY];
    const { actions } = play(events, context({ unwanted: ['admin'] }));
    const sent = actions.flatMap((action) =>
      action.do === 'send' && action.message.type === 'PREPARED' ? [action.message] : [],
    );
    expect(sent).toEqual([{ type: 'PREPARED', adopted: 0, unwanted: ['admin'], errors: ['web: no socket'] }]);
  });

  test('a pulse is answered in every phase', () => {
    for (let length = 1; length <= TO_SERVING.length; length++) {
      expect(play([...TO_SERVING.slice(0, length), say({ type: 'PING' })]).said.at(-1)).toBe('PONG');
    }
  });

  test('state that does not come in time is done without', () => {
    const { state, did } = play([...TO_IMPORTED.slice(0, 3), [DEFAULT_LIMITS.stateMs + 10, { type: 'tick' }]]);
    expect(state.phase).toBe('initialising');
    expect(did).toContain('imported');
  });

  test('silence after SERVING is answered by SERVING again, never by leaving', () => {
    const ticks = Array.from({ length: 5 }, (_, i): [number, TakerEvent] => [1_100 * (i + 1), { type: 'tick' }]);
    const { state, said } = play([...TO_SERVING, ...ticks]);
    expect(state.phase).toBe('serving');
    expect(said.filter((type) => type === 'SERVING').length).toBeGreaterThan(3);
  });

  test('when it is succeeded itself it releases its predecessor', () => {
    expect(play([...TO_SERVING, say(COMMITTED), { type: 'succeeded' }]).said.at(-1)).toBe('RELEASE');
  });
});

describe('the old one goes away', () => {
  const eof: TakerEvent = { type: 'eof' };
  test.each<[string, TakerEvent[], TakerEvent[], TakerAction['do'], string]>([
    ['before its sockets came: ask again', TO_IMPORTED.slice(0, 2), [], 'retry', 'closed'],
    ['before STATE: go on without', TO_IMPORTED.slice(0, 3), [READY, ATTACHED], 'own', 'closed'],
    ['while the program starts: serve when it is ready', TO_IMPORTED, [READY, ATTACHED], 'own', 'closed'],
    ['before GO: serve', [...TO_IMPORTED, READY], [ATTACHED], 'own', 'closed'],
    ['while attaching: serve', TO_SERVING.slice(0, -1), [ATTACHED], 'own', 'closed'],
    ['before COMMITTED: own', TO_SERVING, [], 'own', 'closed'],
    ['after COMMITTED: nothing', [...TO_SERVING, say(COMMITTED)], [], 'close', 'closed'],
  ])('%s', (_, before, after, expected, phase) => {
    const { did, state } = play([...before, eof, ...after]);
    expect(did.at(-1)).toBe(expected);
    expect(state.phase).toBe(phase);
  });
});

describe('the old one sends what cannot be read, and goes on serving', () => {
  const owner = [...TO_SERVING, say(COMMITTED)];
  test.each<[string, TakerEvent[], TakerAction['do'], string]>([
    ['before its sockets came: ask again', TO_IMPORTED.slice(0, 2), 'retry', 'ABORT'],
    ['instead of STATE: fail', TO_IMPORTED.slice(0, 3), 'fail', 'ABORT'],
    ['while the program starts: fail', TO_IMPORTED, 'fail', 'ABORT'],
    ['instead of GO: fail', [...TO_IMPORTED, READY], 'fail', 'ABORT'],
    ['instead of COMMITTED: fail', TO_SERVING, 'fail', 'ABORT'],
    ['after COMMITTED: serve on, and let it drain', owner, 'close', 'RELEASE'],
  ])('%s', (_, before, expected, last) => {
    const { did, said } = play([...before, { type: 'unreadable', message: 'nonsense' }, READY, ATTACHED]);
    expect(did.at(-1)).toBe(expected);
    expect(said.at(-1)).toBe(last);
    expect(did.filter((what) => what === 'own')).toHaveLength(before === owner ? 1 : 0);
  });

  test('a custodian asks again', () => {
    const { did } = play(
      [...TO_IMPORTED.slice(0, 3), { type: 'unreadable', message: '' }],
      context({ role: 'custodian' }),
    );
    expect(did.slice(-2)).toEqual(['send', 'holder-gone']);
  });
});

describe('the old one says no', () => {
  test('before the commit the new one stops accepting and fails', () => {
    const { did } = play([...TO_SERVING, say(ABORT)]);
    expect(did.slice(-2)).toEqual(['detach', 'fail']);
  });

  test('with a time to try again it tries again', () => {
    const { actions } = play([...TO_IMPORTED.slice(0, 2), say({ ...ABORT, retryAfterMs: 70 } as Message)]);
    expect(actions.at(-1)).toMatchObject({ do: 'retry', afterMs: 70 });
  });

  test('after the commit the listeners stay', () => {
    const { did } = play([...TO_SERVING, say(COMMITTED), say(ABORT)]);
    expect(did).not.toContain('detach');
  });
});

describe('the new side does not trust', () => {
  test('whoever listens without knowing the secret', () => {
    const { actions, said } = play([{ type: 'connected' }, say({ ...CHALLENGE, proof: '0'.repeat(64) } as Message)]);
    expect(actions.at(-1)).toMatchObject({ do: 'fail', reason: 'auth-failed' });
    expect(said).not.toContain('AUTH');
  });

  test('a version it does not speak', () => {
    const { actions } = play([{ type: 'connected' }, say({ ...CHALLENGE, version: 3 } as Message)]);
    expect(actions.at(-1)).toMatchObject({ do: 'fail', reason: 'version-mismatch' });
  });
});

describe('a custodian', () => {
  const ctx = context({ role: 'custodian' });
  const kept = TO_IMPORTED.slice(0, 3);

  test('keeps what it got and says nothing more', () => {
    const { state, said } = play(kept, ctx);
    expect(state.phase).toBe('keeping');
    expect(said.at(-1)).toBe('ACK');
  });

  test.each<[string, TakerEvent]>([
    ['the end of the owner', { type: 'eof' }],
    ['its BYE', say({ type: 'BYE', reason: 'succeeded', migrated: 0, drained: 0, killed: 0 })],
  ])('is told of %s', (_, event) => {
    expect(play([...kept, event], ctx).did.at(-1)).toBe('holder-gone');
  });
});

test('whatever the old side sends in whatever order: it owns at most once, and only what it has imported and attached', () => {
  const messages = [CHALLENGE, OFFER, STATE, { type: 'GO' } as Message, COMMITTED, ABORT, { type: 'PING' } as Message];
  const event = fc.oneof<fc.Arbitrary<TakerEvent>[]>(
    fc.constantFrom(...messages).map((message) => say(message)),
    fc.constantFrom<TakerEvent>(READY, ATTACHED, { type: 'eof' }, { type: 'tick' }, { type: 'succeeded' }),
    fc.constant<TakerEvent>({ type: 'unreadable', message: '' }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2_000), event), { maxLength: 25 }), fc.nat(7), (steps, begun) => {
      const { did } = play([...TO_SERVING.slice(0, begun), ...spaced(steps, TO_SERVING.length)]);
      expect(did.filter((d) => d === 'own').length).toBeLessThanOrEqual(1);
      if (did.includes('own')) {
        expect(did.indexOf('imported')).toBeGreaterThanOrEqual(0);
        expect(did.indexOf('attach')).toBeGreaterThan(did.indexOf('imported'));
        expect(did.indexOf('own')).toBeGreaterThan(did.indexOf('attach'));
      }
      expect(did.includes('fail') && did.includes('own')).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});
