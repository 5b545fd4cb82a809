import type { Message } from '../protocol/messages.js';
import type { GiverAction, GiverContext, GiverEvent, GiverState, GiverStep } from './giver-state.js';
import { step } from './giver-step.js';

/**
 * The old side after the commit: the successor owns the listeners, this side keeps its duplicates and drains.
 *
 * While the guard lasts the successor is watched. Silence makes this side accept again at once, which is harmless if the successor is
 * only slow (both accept, and the first sign of life stops it again); the end of the connection makes it the owner again. SIGTERM
 * shortens the guard, but not while the successor is silent: gone alone, this side could only close connections that a successor which
 * was merely slow would have taken.
 */
export function reduceGuard(state: GiverState, event: GiverEvent, now: number, ctx: GiverContext): GiverStep {
  switch (event.type) {
    case 'message':
      return onMessage(state, event.message, now, ctx);
    case 'unreadable':
      return heard(state, [], now, ctx);
    case 'eof':
      return onEnd(state, 'successor-died');
    case 'drained':
      return maybeEnd(
        { ...state, drained: { migrated: event.migrated, drained: event.drained, killed: event.killed } },
        now,
      );
    case 'sigterm':
      return maybeEnd(guardedUntil({ ...state, sigtermAt: now }, ctx), now);
    case 'tick':
      return onTick(state, now, ctx);
    default:
      return step(state);
  }
}

function onMessage(state: GiverState, message: Message, now: number, ctx: GiverContext): GiverStep {
  if (message.type === 'RELEASE') return step({ ...state, heardAt: now, released: true });
  // SERVING again: COMMITTED got lost on its way to a peer that was stopped; the commit stands.
  const again: Message = { type: 'COMMITTED', connections: 0, generation: 0 };
  const reply = message.type === 'SERVING' ? [{ do: 'send' as const, message: again }] : [];
  if (message.type === 'ABORT') return onEnd(state, `successor-aborted: ${message.reason}`);
  return heard(state, reply, now, ctx);
}

/** Whatever it said, the successor lives. */
function heard(state: GiverState, reply: GiverAction[], now: number, ctx: GiverContext): GiverStep {
  if (!state.covering) return step({ ...state, heardAt: now }, ...reply);
  // What was accepted meanwhile has to be drained too, also if the first drain was over.
  const spoken = guardedUntil({ ...state, heardAt: now, covering: false, drained: undefined }, ctx);
  return step(spoken, { do: 'stop-accepting' }, ...reply, { do: 'drain' });
}

function onTick(state: GiverState, now: number, ctx: GiverContext): GiverStep {
  if (state.phase === 'draining') return maybeEnd(state, now);
  if (state.deadline !== undefined && now >= state.deadline) return endGuard(state, now);
  if (now < state.nextPing) return step(state);
  const { heartbeatMs, heartbeatLimitMs } = ctx.limits;
  // A tick that comes late means this process did not run, and so could not hear; that time is not the successor's silence.
  const late = Math.max(0, now - state.nextPing - heartbeatMs);
  const heardAt = Math.min(now, state.heardAt + late);
  const next = { ...state, heardAt, nextPing: now + heartbeatMs };
  const ping = { do: 'send' as const, message: { type: 'PING' as const } };
  if (state.covering || now - heardAt < heartbeatLimitMs) return step(next, ping);
  return step(
    guardedUntil({ ...next, covering: true }, ctx),
    { do: 'accept-again', cause: 'successor-silent' },
    { do: 'count', metric: 'takeover_guard_resumes_total{cause="silent"}' },
    { do: 'send', message: { type: 'RESUMED', cause: 'no sign of life' } },
    ping,
  );
}

/** The guard is over: a successor that is silent by now counts as dead. */
function endGuard(state: GiverState, now: number): GiverStep {
  if (state.covering) return onEnd(state, 'successor-hung');
  return maybeEnd({ ...state, phase: 'draining', deadline: undefined }, now);
}

function guardedUntil(state: GiverState, ctx: GiverContext): GiverState {
  if (state.phase !== 'guarding') return state;
  const { committedAt, covering, sigtermAt } = state;
  const full = committedAt + ctx.limits.guardMs;
  if (covering || sigtermAt === undefined) return { ...state, deadline: full };
  return { ...state, deadline: Math.min(full, Math.max(sigtermAt, committedAt + ctx.limits.guardAfterSigtermMs)) };
}

function maybeEnd(state: GiverState, now: number): GiverStep {
  if (!state.drained) return step(state);
  const guarded = state.phase === 'guarding' && !state.released && now < (state.deadline ?? 0);
  if (guarded) return step(state);
  if (state.covering) return onEnd(state, 'successor-hung');
  const reason = state.sigtermAt === undefined ? 'drained' : 'terminated';
  return step(
    { ...state, phase: 'closed', deadline: undefined },
    { do: 'send', message: { type: 'BYE', reason, ...state.drained } },
    { do: 'end', reason },
    { do: 'close', reason },
  );
}

function onEnd(state: GiverState, cause: string): GiverStep {
  // A successor that was succeeded in its turn may leave as it likes; the drain here goes on without it.
  if (state.released) return maybeEnd({ ...state, phase: 'draining', deadline: undefined }, 0);
  const closed: GiverState = { ...state, phase: 'closed', deadline: undefined };
  return step(
    closed,
    { do: 'own-again', cause },
    { do: 'count', metric: 'takeover_guard_resumes_total{cause="died"}' },
    { do: 'close', reason: cause },
  );
}
