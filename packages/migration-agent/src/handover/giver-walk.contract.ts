import { proofOf } from '../protocol/authentication.js';
import type { Message } from '../protocol/messages.js';
import { reduceGiver } from './giver.js';
import { type GiverAction, type GiverContext, type GiverEvent, type GiverState, newGiver } from './giver-state.js';
import { DEFAULT_LIMITS } from './time-limits.js';
import { conversation, type Entry, secret, walk } from './walk.contract.js';

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

export function play(events: Entry<GiverEvent>[], ctx = context()) {
  const start: GiverState = newGiver(0, ctx.limits);
  return walk(start, events, (state, event, now) => reduceGiver(state, event, now, ctx));
}

export const BEGIN: GiverEvent = { type: 'connected', uid: 1000 };
export const TO_PREPARING = [BEGIN, say(HELLO), say(AUTH), say(ACK)];
export const TO_COMMIT = [...TO_PREPARING, say(PREPARED), say(SERVING)];

export function abortReason(actions: GiverAction[]): string | undefined {
  const abort = actions.find((action) => action.do === 'send' && action.message.type === 'ABORT');
  return abort?.do === 'send' && abort.message.type === 'ABORT' ? abort.message.reason : undefined;
}
