import { type Conversation, proofOf } from '../protocol/authentication.js';
import type { Message } from '../protocol/messages.js';
import { reduceGiver } from './giver.js';
import { type GiverAction, type GiverContext, type GiverEvent, type GiverState, newGiver } from './giver-state.js';
import { DEFAULT_LIMITS } from './time-limits.js';

const secret = Buffer.alloc(32, 1);
const conversation: Conversation = {
  takerInstance: 'aa'.repeat(16),
  takerNonce: 'bb'.repeat(32),
  giverInstance: 'cc'.repeat(16),
  giverNonce: 'dd'.repeat(32),
};

export function context(changes: Partial<GiverContext> = {}): GiverContext {
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

export const HELLO: Message = {
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
export const AUTH: Message = { type: 'AUTH', mac: proofOf(secret, 'taker', conversation) };
export const ACK: Message = { type: 'ACK', of: 1, refused: [] };
export const PREPARED: Message = { type: 'PREPARED', adopted: 1, unwanted: [], errors: [] };
export const SERVING: Message = { type: 'SERVING' };
export const say = (message: Message): GiverEvent => ({ type: 'message', message });

/** Plays events one millisecond apart; tells the end state and everything that was done. */
export function play(events: (GiverEvent | [at: number, event: GiverEvent])[], ctx = context()) {
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

export const BEGIN: GiverEvent = { type: 'connected', uid: 1000 };
export const TO_PREPARING = [BEGIN, say(HELLO), say(AUTH), say(ACK)];
export const TO_COMMIT = [...TO_PREPARING, say(PREPARED), say(SERVING)];

/** Waits between events as points in time. */
export function spaced(steps: [wait: number, event: GiverEvent][]): [at: number, event: GiverEvent][] {
  let now = 0;
  return steps.map(([wait, event]) => {
    now += wait;
    return [now, event];
  });
}

export function said(actions: GiverAction[]): string[] {
  return actions.flatMap((action) => (action.do === 'send' ? [action.message.type] : []));
}

export function abortReason(actions: GiverAction[]): string | undefined {
  const abort = actions.find((action) => action.do === 'send' && action.message.type === 'ABORT');
  return abort?.do === 'send' && abort.message.type === 'ABORT' ? abort.message.reason : undefined;
}
