import type { GiverAction, GiverState, GiverStep } from './giver-state.js';

/** A state and what to do about it. */
export function step(state: GiverState, ...actions: GiverAction[]): GiverStep {
  return { state, actions };
}
