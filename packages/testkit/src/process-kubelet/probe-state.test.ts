import { describe, expect, test } from '@jest/globals';
import { ProbeState } from './probe-state.js';

const play = (state: ProbeState, outcomes: string) =>
  [...outcomes].map((outcome) => [state.take(outcome === '+'), state.result]);

describe('a probe', () => {
  test('of readiness begins as failed and turns with its first success', () => {
    const state = new ProbeState('readiness', {});
    expect(state.result).toBe('failure');
    expect(play(state, '+')).toEqual([[true, 'success']]);
  });

  test('turns to failed only after failureThreshold failures in a row', () => {
    const state = new ProbeState('readiness', { failureThreshold: 3 });
    state.take(true);
    expect(play(state, '--+---').map(([, result]) => result)).toEqual([
      'success',
      'success',
      'success',
      'success',
      'success',
      'failure',
    ]);
  });

  test('turns to succeeded only after successThreshold successes in a row', () => {
    const state = new ProbeState('readiness', { successThreshold: 2 });
    expect(play(state, '+-++').map(([changed]) => changed)).toEqual([false, false, false, true]);
  });

  test('of liveness begins as succeeded, so that a container is not restarted before it was asked', () => {
    const state = new ProbeState('liveness', { failureThreshold: 2 });
    expect(state.result).toBe('success');
    expect(play(state, '--')).toEqual([
      [false, 'success'],
      [true, 'failure'],
    ]);
  });

  test('of startup is undecided until its first verdict', () => {
    const state = new ProbeState('startup', { failureThreshold: 2 });
    expect(state.result).toBe('unknown');
    expect(play(state, '-+')).toEqual([
      [false, 'unknown'],
      [true, 'success'],
    ]);
  });
});
