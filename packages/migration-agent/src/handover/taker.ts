import { type Conversation, proofOf, sameProof } from '../protocol/authentication.js';
import { badFrame, type Message } from '../protocol/messages.js';
import type { TakerAction, TakerContext, TakerEvent, TakerState, TakerStep } from './taker-state.js';

/** PREPARED names at most this many of each, so that it always fits a frame. */
const MOST_NAMED = 64;

/** One step of the new side. Until all sockets have come a fault means "ask again"; after that the new side can stand alone. */
export function reduceTaker(state: TakerState, event: TakerEvent, now: number, ctx: TakerContext): TakerStep {
  if (state.phase === 'closed') return step(state);
  switch (event.type) {
    case 'connected':
      return step(state, { do: 'send', message: hello(ctx) });
    case 'message':
      return onMessage(state, event, now, ctx);
    case 'eof':
      return onEof(state, now, ctx);
    case 'unreadable':
      return onUnreadable(state, event.message);
    case 'tick':
      return onTick(state, now, ctx);
    case 'program-ready':
      return onProgramReady(state, now, ctx);
    case 'program-failed':
      return giveUp(state, 'program-failed', event.message);
    case 'attached':
      return onAttached(state, now, ctx);
    case 'succeeded':
      return state.phase === 'owner' ? step(state, { do: 'send', message: { type: 'RELEASE' } }) : step(state);
  }
}

function hello(ctx: TakerContext): Message {
  const { min, max } = ctx.versions;
  const { instance, appVersion, role, features, nonce, wants } = ctx;
  return { type: 'HELLO', min, max, instance, appVersion, role, features, nonce, wants };
}

type MessageEvent = TakerEvent & { type: 'message' };

function onMessage(state: TakerState, event: MessageEvent, now: number, ctx: TakerContext): TakerStep {
  const { message } = event;
  if (message.type === 'ABORT') return onAbort(state, message);
  if (message.type === 'PING') return step(state, { do: 'send', message: { type: 'PONG' } });
  if (message.type === 'ERR') return step(state);
  switch (state.phase) {
    case 'hello':
      return message.type === 'CHALLENGE' ? onChallenge(state, message, now, ctx) : outOfOrder(state, message);
    case 'importing':
      return message.type === 'OFFER' ? onOffer(state, event, message, now, ctx) : outOfOrder(state, message);
    case 'awaiting-state':
      return message.type === 'STATE' ? imported(state, now, ctx) : outOfOrder(state, message);
    case 'going':
      return message.type === 'GO' ? attach(state, now, ctx) : step(state);
    case 'serving':
      return message.type === 'COMMITTED' ? own(state, 'takeover') : step(state);
    case 'owner':
      return onOwnerMessage(state, event);
    case 'keeping':
      return message.type === 'BYE' ? end(state, { do: 'holder-gone', reason: message.reason }) : step(state);
    default:
      return step(state);
  }
}

function onChallenge(
  state: TakerState,
  message: Message & { type: 'CHALLENGE' },
  now: number,
  ctx: TakerContext,
): TakerStep {
  const conversation: Conversation = {
    takerInstance: ctx.instance,
    takerNonce: ctx.nonce,
    giverInstance: message.instance,
    giverNonce: message.nonce,
  };
  if (!sameProof(message.proof, proofOf(ctx.secret, 'giver', conversation))) {
    return giveUp(
      state,
      'auth-failed',
      'whoever listens on the take-over socket does not know the secret of this directory',
    );
  }
  if (message.version < ctx.versions.min || message.version > ctx.versions.max) {
    return giveUp(state, 'version-mismatch', `the other side chose protocol version ${message.version}`);
  }
  const mac = proofOf(ctx.secret, 'taker', conversation);
  const next: TakerState = { ...state, phase: 'importing', conversation, deadline: now + ctx.limits.offerMs };
  return step(next, { do: 'send', message: { type: 'AUTH', mac } });
}

function onOffer(
  state: TakerState,
  event: MessageEvent,
  offer: Message & { type: 'OFFER' },
  now: number,
  ctx: TakerContext,
): TakerStep {
  if (offer.index !== state.frames)
    return giveUp(state, 'out-of-order', `OFFER ${offer.index} came instead of ${state.frames}`);
  const next: TakerState = {
    ...state,
    frames: state.frames + 1,
    listeners: state.listeners + offer.listeners.length,
    faults: [...state.faults, ...(event.faults ?? [])],
    deadline: now + ctx.limits.offerMs,
  };
  const ack: TakerAction = { do: 'send', message: { type: 'ACK', of: event.seq, refused: [] } };
  if (next.frames < offer.total) return step(next, ack);
  if (ctx.role === 'custodian') return step({ ...next, phase: 'keeping', deadline: undefined }, ack, { do: 'kept' });
  if (offer.state) return step({ ...next, phase: 'awaiting-state', deadline: now + ctx.limits.stateMs }, ack);
  const done = imported(next, now, ctx);
  return { state: done.state, actions: [ack, ...done.actions] };
}

function imported(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  return step({ ...state, phase: 'initialising', deadline: now + ctx.limits.progressEveryMs }, { do: 'imported' });
}

function onProgramReady(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  if (state.phase !== 'initialising') return step(state);
  if (state.orphaned) return attach(state, now, ctx);
  const { faults } = state;
  const adopted = state.listeners - ctx.unwanted.length - faults.length;
  const message: Message = {
    type: 'PREPARED',
    adopted: Math.max(0, adopted),
    unwanted: ctx.unwanted.slice(0, MOST_NAMED),
    errors: faults.slice(0, MOST_NAMED),
  };
  return step({ ...state, phase: 'going', deadline: now + ctx.limits.goMs }, { do: 'send', message });
}

function attach(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  return step({ ...state, phase: 'attaching', deadline: now + ctx.limits.servingMs }, { do: 'attach' });
}

function onAttached(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  if (state.phase !== 'attaching') return step(state);
  if (state.orphaned) return own(state, 'promoted');
  const next: TakerState = { ...state, phase: 'serving', deadline: now + ctx.limits.commitMs };
  return step(next, { do: 'send', message: { type: 'SERVING' } });
}

function own(state: TakerState, how: 'takeover' | 'promoted'): TakerStep {
  const closed = state.orphaned;
  return step({ ...state, phase: closed ? 'closed' : 'owner', deadline: undefined }, { do: 'own', how });
}

function onOwnerMessage(state: TakerState, event: MessageEvent): TakerStep {
  const { message } = event;
  if (message.type === 'CONNS') return step(state, { do: 'adopt-connections', seq: event.seq });
  if (message.type === 'STATS') return step(state, { do: 'counters', counters: message.counters });
  return step(state);
}

function onAbort(state: TakerState, message: Message & { type: 'ABORT' }): TakerStep {
  if (state.phase === 'keeping') return end(state, { do: 'holder-gone', reason: message.reason });
  // After the commit the listeners are this side's; an old one that wants out only ends the conversation.
  if (state.phase === 'owner') return end(state, { do: 'close', reason: message.reason });
  if (message.retryAfterMs > 0)
    return end(state, { do: 'retry', reason: message.reason, afterMs: message.retryAfterMs });
  return end(state, ...undo(state), { do: 'fail', reason: message.reason, message: message.message });
}

function onEof(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  switch (state.phase) {
    case 'hello':
    case 'importing':
      return end(state, { do: 'retry', reason: 'peer-gone', afterMs: 10 });
    case 'keeping':
      return end(state, { do: 'holder-gone', reason: 'died' });
    case 'owner':
      return end(state, { do: 'close', reason: 'predecessor-gone' });
    case 'awaiting-state':
      return imported({ ...state, orphaned: true }, now, ctx);
    case 'going':
      return attach({ ...state, orphaned: true }, now, ctx);
    case 'serving':
      return own({ ...state, orphaned: true }, 'promoted');
    default:
      return step({ ...state, orphaned: true, deadline: undefined });
  }
}

/**
 * A frame that cannot be read is not the death of who sent it: the old side hears the refusal and goes on serving, so before the commit
 * this side must not. After it this side serves, and the old one is told that the end of the conversation means nothing.
 */
function onUnreadable(state: TakerState, message: string): TakerStep {
  const say: TakerAction = { do: 'send', message: badFrame(message) };
  switch (state.phase) {
    case 'hello':
    case 'importing':
      return end(state, say, { do: 'retry', reason: 'bad-frame', afterMs: 10 });
    case 'keeping':
      return end(state, say, { do: 'holder-gone', reason: 'bad-frame' });
    case 'owner':
      return end(state, { do: 'send', message: { type: 'RELEASE' } }, { do: 'close', reason: 'bad-frame' });
    default:
      return giveUp(state, 'bad-frame', message);
  }
}

function onTick(state: TakerState, now: number, ctx: TakerContext): TakerStep {
  if (state.deadline === undefined || now < state.deadline || state.orphaned) return step(state);
  switch (state.phase) {
    case 'hello':
    case 'importing':
      return end(state, { do: 'retry', reason: `timeout-${state.phase}`, afterMs: 10 });
    case 'awaiting-state':
      // State is a courtesy; sockets are what counts.
      return imported(state, now, ctx);
    case 'initialising':
      return step(
        { ...state, deadline: now + ctx.limits.progressEveryMs },
        { do: 'send', message: { type: 'PROGRESS', stage: 'init' } },
      );
    case 'serving':
      // Silence is not death: both accept, which harms nobody; leaving would.
      return step({ ...state, deadline: now + ctx.limits.commitMs }, { do: 'send', message: { type: 'SERVING' } });
    default:
      return giveUp(state, `timeout-${state.phase}`, `the other side did not go on in time (${state.phase})`);
  }
}

function outOfOrder(state: TakerState, message: Message): TakerStep {
  return giveUp(state, 'out-of-order', `${message.type} is not expected now (${state.phase})`);
}

function undo(state: TakerState): TakerAction[] {
  return state.phase === 'attaching' || state.phase === 'serving' ? [{ do: 'detach' }] : [];
}

function giveUp(state: TakerState, reason: string, message: string): TakerStep {
  const say: TakerAction = {
    do: 'send',
    message: { type: 'ABORT', reason, message: message.slice(0, 1000), retryAfterMs: 0 },
  };
  return end(state, ...undo(state), say, { do: 'fail', reason, message });
}

function end(state: TakerState, ...actions: TakerAction[]): TakerStep {
  return step({ ...state, phase: 'closed', deadline: undefined }, ...actions);
}

function step(state: TakerState, ...actions: TakerAction[]): TakerStep {
  return { state, actions };
}
