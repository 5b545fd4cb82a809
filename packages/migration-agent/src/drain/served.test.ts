import { describe, expect, test } from '@jest/globals';
import { drainUntilEmpty, Wakeup } from './served.js';

const drain = ({
  open,
  remainingMs = 60_000,
  cancelled = false,
}: {
  open: number;
  remainingMs?: number;
  cancelled?: boolean;
}) => {
  const connections = { open };
  const cancel = new AbortController();
  if (cancelled) cancel.abort();
  const tools = { remainingMs: () => remainingMs, cancelled: cancel.signal };
  const rounds = {
    open: () => connections.open,
    round: () => {
      connections.open -= 1;
      return 0;
    },
    cut: () => undefined,
  };
  return drainUntilEmpty(tools, new Wakeup(), rounds);
};

describe('a drain', () => {
  test('that comes to its end leaves nothing and cuts nothing', async () => {
    expect(await drain({ open: 3 })).toEqual({ killed: 0, left: 0 });
  });

  test('that has no time left says how many it cut', async () => {
    expect(await drain({ open: 3, remainingMs: 0 })).toEqual({ killed: 3, left: 0 });
  });

  test('that is cancelled says how many are open still, so that the next one is not the second to count them', async () => {
    expect(await drain({ open: 3, cancelled: true })).toEqual({ killed: 0, left: 3 });
  });
});
