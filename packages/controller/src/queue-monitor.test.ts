import { describe, expect, test } from '@jest/globals';
import { type QueueChange, QueueMonitor } from './queue-monitor.js';

/** A clock that is turned by hand, and a queue that answers what the test says. */
const watched = () => {
  const changes: QueueChange[] = [];
  let wake: (() => void) | undefined;
  let answer: () => Promise<{ generation: string }> = async () => ({ generation: 'a' });
  const monitor = new QueueMonitor({
    ping: () => answer(),
    onChange: (change) => changes.push(change),
    clock: {
      now: () => new Date(0),
      after: (_ms, run) => {
        wake = run;
        return () => {
          wake = undefined;
        };
      },
    },
  });
  const look = async (next: typeof answer): Promise<void> => {
    answer = next;
    wake?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { monitor, changes, look, isWaiting: () => wake !== undefined };
};

const refuses = async (): Promise<never> => {
  throw new Error('connection refused');
};

describe('watching over the queue', () => {
  test('has nothing to tell while the queue keeps what it was given', async () => {
    const { monitor, changes, look } = watched();
    expect(monitor.unavailable).toBe('the queue was not reached yet');
    await monitor.start();
    await look(async () => ({ generation: 'a' }));
    expect(monitor.unavailable).toBeUndefined();
    expect(changes).toEqual([]);
  });

  test('tells once that it is gone, and why', async () => {
    const { monitor, changes, look } = watched();
    await monitor.start();
    await look(refuses);
    await look(refuses);
    expect(changes).toEqual([{ available: false, filled: false, why: 'connection refused' }]);
    expect(monitor.unavailable).toBe('connection refused');
  });

  test('tells that it is back, and that jobs are missing although it kept its own: producers were refused meanwhile', async () => {
    const { monitor, changes, look } = watched();
    await monitor.start();
    await look(refuses);
    await look(async () => ({ generation: 'a' }));
    expect(changes.at(-1)).toEqual({ available: true, filled: false });
    expect(monitor.unavailable).toBeUndefined();
  });

  test('tells that it was emptied behind an answer', async () => {
    const { monitor, changes, look } = watched();
    await monitor.start();
    await look(async () => ({ generation: 'b' }));
    expect(changes).toEqual([{ available: true, filled: false }]);
  });

  test('tells of a queue that was never there as gone', async () => {
    const { monitor, changes, look } = watched();
    await look(refuses);
    await monitor.start();
    expect(changes).toEqual([{ available: false, filled: false, why: 'connection refused' }]);
  });

  test('stops looking when it is stopped', async () => {
    const { monitor, changes, look, isWaiting } = watched();
    await monitor.start();
    monitor.stop();
    expect(isWaiting()).toBe(false);
    await look(refuses);
    expect(changes).toEqual([]);
  });
});
