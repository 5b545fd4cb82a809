import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Clock } from '../clock.js';
import { awaitAnswer } from './answer-deadline.js';

/** A clock of a process that can stand still: time goes by, and timers fire only when it goes on. */
class HaltingClock implements Clock {
  private at = 0;
  private timers: { at: number; run: () => void }[] = [];

  now(): Date {
    return new Date(this.at);
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.at + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  standStill(ms: number): void {
    this.at += ms;
    const due = this.timers.filter(({ at }) => at <= this.at);
    this.timers = this.timers.filter(({ at }) => at > this.at);
    for (const { run } of due) run();
  }
}

let clock: HaltingClock;
let expired: number;

beforeEach(() => {
  clock = new HaltingClock();
  expired = 0;
});

const waitFor = (ms: number): (() => void) =>
  awaitAnswer(clock, ms, () => {
    expired += 1;
  });

describe('waiting for an answer', () => {
  test('ends in time when none comes', () => {
    waitFor(1_000);
    clock.standStill(1_000);
    expect(expired).toBe(1);
  });

  test('goes on for a moment when this process itself stood still, so that an answer that is there can be read', () => {
    const answered = waitFor(1_000);
    clock.standStill(30_000);
    expect(expired).toBe(0);
    answered();
    clock.standStill(30_000);
    expect(expired).toBe(0);
  });

  test('ends after that moment when there is no answer', () => {
    waitFor(1_000);
    clock.standStill(30_000);
    clock.standStill(30_000);
    expect(expired).toBe(1);
  });
});
