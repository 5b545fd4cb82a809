import { expect, test } from '@jest/globals';
import { CounterFeed } from './collect-state.js';

test.each(['constructor', 'toString', '__proto__'])(
  'a counter that is named %s, like a property of every object, is told like any other',
  (name) => {
    const counted: Record<string, number> = Object.create(null);
    const feed = new CounterFeed({ counters: () => counted, log: () => undefined });
    feed.absolute();
    counted[name] = 3;
    expect(feed.increments().map((frame) => Object.entries(frame))).toEqual([[[name, 3]]]);
    counted[name] = 5;
    expect(feed.increments().map((frame) => Object.entries(frame))).toEqual([[[name, 2]]]);
  },
);
