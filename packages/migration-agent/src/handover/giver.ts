import { type Conversation, chooseVersion, proofOf, sameProof } from '../protocol/authentication.js';
import { MAX_OUTSTANDING_FRAMES } from '../protocol/limits.js';
import type { Message } from '../protocol/messages.js';
import { reduceGuard } from './giver-guard.js';
import type { GiverAction, GiverContext, GiverEvent, GiverState, GiverStep } from './giver-state.js';
import { step } from './giver-step.js';
import type { TimeLimits } from './time-limits.js';

const EARLY: ReadonlySet<GiverState['phase']> = new Set(['connected', 'challenged', 'offering']);

/**
 * One step of the old side: what it becomes and what must be done, given what happened.
 *
 * Before COMMITTED every fault ends in `close` and the process serves on as if nobody had asked; from COMMITTED on the successor
 * owns the listeners, and `giver-guard.ts` decides.
 */
export function reduceGiver(state: GiverState, event: GiverEvent, now: number, ctx: GiverContext): GiverStep {
  if (state.phase === 'closed') return { state, actions: [] };
  if (state.phase === 'guarding' || state.phase === 'draining') return reduceGuard(state, event, now, ctx);
  switch (event.type) {
    case 'connected':
      return ctx.allowedUids.includes(event.uid) ? step(state) : refuseUid(state, event.uid);
    case 'message':
      return onMessage({ ...state, heardAt: now }, event.message, now, ctx);
    case 'eof':
      return close(state, state.phase === 'keeping' ? 'custodian-gone' : 'peer-gone', []);
    case 'tick':
      return onTick(state, now, ctx);
    case 'state-sent':
    case 'unreadable':
      return step(state);
    case 'abort':
      return abort(state, event.reason, event.message);
    case 'sigterm':
      return onSigterm(state, now, ctx);
    case 'drained':
      return step(state);
  }
}

/** A hand-over that has begun is the best thing that can happen to a process that must end: it may finish, within limits. */
function onSigterm(state: GiverState, now: number, ctx: GiverContext): GiverStep {
  const latest = now + ctx.limits.handoverAfterSigtermMs;
  return step({ ...state, sigtermAt: now, deadline: Math.min(state.deadline ?? latest, latest) });
}

/** When `tick` must come at the latest. */
export function giverDeadline(state: GiverState, limits: TimeLimits): number | undefined {
  if (state.phase === 'preparing') return Math.min(state.deadline ?? Infinity, state.heardAt + limits.progressMs);
  if (state.phase === 'guarding') return Math.min(state.nextPing, state.deadline ?? Infinity);
  return state.deadline;
}

function onMessage(state: GiverState, message: Message, now: number, ctx: GiverContext): GiverStep {
  if (message.type === 'ABORT') return close(state, `peer-aborted: ${message.reason}`, []);
  if (message.type === 'ERR') return step(state);
  switch (state.phase) {
    case 'connected':
      return message.type === 'HELLO' ? onHello(state, message, now, ctx) : outOfOrder(state, message);
    case 'challenged':
      return message.type === 'AUTH' ? onAuth(state, message.mac, now, ctx) : outOfOrder(state, message);
    case 'offering':
      return message.type === 'ACK' ? onOfferAck(state, now, ctx) : outOfOrder(state, message);
    case 'preparing':
      return onPreparing(state, message, now, ctx);
    case 'going':
      return message.type === 'SERVING' ? commit(state, now, ctx) : outOfOrder(state, message);
    default:
      return step(state);
  }
}

function onHello(state: GiverState, hello: Message & { type: 'HELLO' }, now: number, ctx: GiverContext): GiverStep {
  const version = chooseVersion(ctx.versions, hello);
  if (version === undefined) {
    const wanted = `${hello.min} to ${hello.max}`;
    return abort(
      state,
      'version-mismatch',
      `peer speaks ${wanted}, this side ${ctx.versions.min} to ${ctx.versions.max}`,
    );
  }
  const conversation: Conversation = {
    takerInstance: hello.instance,
    takerNonce: hello.nonce,
    giverInstance: ctx.instance,
    giverNonce: ctx.nonce,
  };
  const challenge: Message = {
    type: 'CHALLENGE',
    version,
    instance: ctx.instance,
    appVersion: ctx.appVersion,
    generation: ctx.generation,
    features: ctx.features,
    nonce: ctx.nonce,
    proof: proofOf(ctx.secret, 'giver', conversation),
  };
  const next: GiverState = {
    ...state,
    phase: 'challenged',
    version,
    role: hello.role,
    peer: hello.instance,
    peerFeatures: hello.features,
    conversation,
    deadline: now + ctx.limits.connectMs,
  };
  return step(next, { do: 'send', message: challenge });
}

function onAuth(state: GiverState, mac: string, now: number, ctx: GiverContext): GiverStep {
  if (!state.conversation || !sameProof(mac, proofOf(ctx.secret, 'taker', state.conversation))) {
    const refused = abort(state, 'auth-failed', 'the proof does not fit the secret of this directory');
    return { ...refused, actions: [{ do: 'count', metric: 'takeover_auth_failures_total' }, ...refused.actions] };
  }
  // Asked only now: an unauthenticated peer learns nothing and blocks nobody.
  if (ctx.refusal) {
    return abort(state, ctx.refusal.reason, ctx.refusal.message, ctx.refusal.retryAfterMs);
  }
  const sent = Math.min(ctx.offerFrames, MAX_OUTSTANDING_FRAMES);
  const frames: GiverAction[] = Array.from({ length: sent }, (_, frame) => ({ do: 'offer', frame }));
  const claim: GiverAction[] = state.role === 'successor' ? [{ do: 'claim' }] : [];
  const next: GiverState = { ...state, phase: 'offering', sentFrames: sent, deadline: now + ctx.limits.offerMs };
  return step(next, ...claim, ...frames, ...stateAfter(next, ctx));
}

function onOfferAck(state: GiverState, now: number, ctx: GiverContext): GiverStep {
  const acked = state.ackedFrames + 1;
  const next = { ...state, ackedFrames: acked, deadline: now + ctx.limits.offerMs };
  if (state.sentFrames < ctx.offerFrames) {
    const more = { ...next, sentFrames: state.sentFrames + 1 };
    return step(more, { do: 'offer', frame: state.sentFrames }, ...stateAfter(more, ctx));
  }
  if (acked < ctx.offerFrames) return step(next);
  if (state.role === 'custodian') return step({ ...next, phase: 'keeping', deadline: undefined });
  return step({ ...next, phase: 'preparing', deadline: now + ctx.limits.initMs });
}

/** STATE follows the last OFFER at once: waiting for the ACK would cost both event loops a turn under load. */
function stateAfter(state: GiverState, ctx: GiverContext): GiverAction[] {
  return state.role === 'successor' && state.sentFrames === ctx.offerFrames ? [{ do: 'state' }] : [];
}

function onPreparing(state: GiverState, message: Message, now: number, ctx: GiverContext): GiverStep {
  if (message.type === 'PROGRESS' || message.type === 'ACK') return step(state);
  if (message.type !== 'PREPARED') return outOfOrder(state, message);
  if (message.errors.length > 0) return abort(state, 'listener-fault', message.errors.slice(0, 3).join('; '));
  return step(
    { ...state, phase: 'going', deadline: now + ctx.limits.servingMs },
    { do: 'send', message: { type: 'GO' } },
  );
}

function commit(state: GiverState, now: number, ctx: GiverContext): GiverStep {
  const next: GiverState = {
    ...state,
    phase: 'guarding',
    committedAt: now,
    heardAt: now,
    nextPing: now + ctx.limits.heartbeatMs,
    deadline: now + ctx.limits.guardMs,
  };
  return step(
    next,
    { do: 'stop-accepting' },
    { do: 'send', message: { type: 'COMMITTED', connections: ctx.connections, generation: ctx.generation } },
    { do: 'count', metric: 'takeover_total{result="given"}' },
    { do: 'drain' },
  );
}

function onTick(state: GiverState, now: number, ctx: GiverContext): GiverStep {
  const due = giverDeadline(state, ctx.limits);
  if (due === undefined || now < due) return step(state);
  // So early a late peer has only been slow to run, and may try again; later its program has failed.
  const retryAfterMs = EARLY.has(state.phase) ? 50 : 0;
  return abort(state, `timeout-${state.phase}`, `the peer did not go on in time (${state.phase})`, retryAfterMs);
}

function refuseUid(state: GiverState, uid: number): GiverStep {
  const refused = abort(state, 'auth-failed', `user ${uid} may not ask`);
  return { ...refused, actions: [{ do: 'count', metric: 'takeover_auth_failures_total' }, ...refused.actions] };
}

function outOfOrder(state: GiverState, message: Message): GiverStep {
  return abort(state, 'out-of-order', `${message.type} is not expected now (${state.phase})`);
}

/** Says why, then closes; the process keeps what it has. */
function abort(state: GiverState, reason: string, message: string, retryAfterMs = 0): GiverStep {
  return close(state, reason, [{ do: 'send', message: { type: 'ABORT', reason, message, retryAfterMs } }]);
}

function close(state: GiverState, reason: string, before: GiverAction[]): GiverStep {
  return step({ ...state, phase: 'closed', deadline: undefined }, ...before, { do: 'close', reason });
}
