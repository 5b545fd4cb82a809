import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from './manual-clock.js';
import { WorkQueue, type WorkQueueOptions } from './work-queue.js';

const queueWith = (options: WorkQueueOptions = {}) => {
  const clock = new ManualClock();
  return { clock, queue: new WorkQueue({ clock, random: () => 0, ...options }) };
};

describe('a work queue', () => {
  test('gives keys in the order in which they came, each once however often it was added', async () => {
    const { queue } = queueWith();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual(['a', 'b', 'c']);
    expect(queue.depth).toBe(0);
  });

  test('hands a key that comes later to who waits', async () => {
    const { queue } = queueWith();
    const first = queue.take();
    const second = queue.take();
    queue.add('a');
    queue.add('b');
    expect([await first, await second]).toEqual(['a', 'b']);
  });

  test('keeps a key that is added while it is worked on until that is done', async () => {
    const { queue } = queueWith();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
    await queue.take();
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  test('lets a key rest between two takes, and forgets no wish meanwhile', async () => {
    const { queue, clock } = queueWith({ minIntervalMs: 25 });
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.done('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    await clock.advance(24);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test('gives a key at once that has rested, also while another one rests', async () => {
    const { queue, clock } = queueWith({ minIntervalMs: 25 });
    for (const key of ['a', 'b']) {
      queue.add(key);
      expect(await queue.take()).toBe(key);
      queue.done(key);
    }
    await clock.advance(25);
    queue.add('a');
    expect(queue.depth).toBe(1);
  });

  test('brings a delayed key at its time, the earliest of several wishes', async () => {
    const { clock, queue } = queueWith();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    await clock.advance(99);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    await queue.take();
    queue.done('a');
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
  });

  test('does not wait for the delay of a key that is added meanwhile', async () => {
    const { clock, queue } = queueWith();
    queue.addAfter('a', 500);
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.done('a');
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
  });

  test('lets failures wait longer each time, up to the limit, until they are forgotten', () => {
    const { queue } = queueWith({ baseDelayMs: 10, maxDelayMs: 60 });
    expect([1, 2, 3, 4, 5].map(() => queue.addRateLimited('a'))).toEqual([10, 20, 40, 60, 60]);
    expect(queue.failures('a')).toBe(5);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(10);
  });
});

describe('workers on a queue', () => {
  test('bring a failed key back after its back-off and forget its failures at success', async () => {
    const { clock, queue } = queueWith({ baseDelayMs: 100 });
    const seen: string[] = [];
    const errors: unknown[] = [];
    const running = queue.run(
      2,
      async (key) => {
        seen.push(key);
        if (seen.length < 3) throw new Error(`try ${seen.length}`);
        return undefined;
      },
      (key, error, ms) => errors.push([key, (error as Error).message, ms]),
    );
    queue.add('a');
    await clock.advance(99);
    expect(seen).toHaveLength(1);
    await clock.advance(1000);
    expect(seen).toHaveLength(3);
    expect(errors).toEqual([
      ['a', 'try 1', 100],
      ['a', 'try 2', 200],
    ]);
    expect(queue.failures('a')).toBe(0);
    await queue.shutdown();
    await running;
  });

  test('look again after the time that the handler asked for', async () => {
    const { clock, queue } = queueWith();
    let looks = 0;
    const running = queue.run(1, async () => {
      looks += 1;
      return 1000;
    });
    queue.add('a');
    await clock.advance(3500);
    expect(looks).toBe(4);
    await queue.shutdown();
    await running;
  });

  test('never work on one key twice at once', async () => {
    const { clock, queue } = queueWith();
    let active = 0;
    let most = 0;
    const running = queue.run(4, async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => clock.after(10, () => resolve(undefined)));
      active -= 1;
      return undefined;
    });
    for (let i = 0; i < 20; i++) {
      queue.add('a');
      await clock.advance(3);
    }
    expect(most).toBe(1);
    await clock.advance(100);
    await queue.shutdown();
    await running;
  });
});

describe('shutting a queue down', () => {
  test('waits for what is being worked on and starts nothing more', async () => {
    const { clock, queue } = queueWith();
    let finish: (value: undefined) => void = () => undefined;
    const seen: string[] = [];
    const running = queue.run(1, (key) => {
      seen.push(key);
      return new Promise<undefined>((resolve) => {
        finish = resolve;
      });
    });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await clock.advance(0);
    const down = queue.shutdown(1000);
    await clock.advance(100);
    finish(undefined);
    await expect(down).resolves.toBe(true);
    await running;
    expect(seen).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });

  test('gives up after its time and says so', async () => {
    const { clock, queue } = queueWith();
    void queue.run(1, () => new Promise(() => undefined));
    queue.add('a');
    await clock.advance(0);
    const down = queue.shutdown(1000);
    await clock.advance(1000);
    await expect(down).resolves.toBe(false);
  });

  test('ends who waits for a key, and refuses new ones', async () => {
    const { queue } = queueWith();
    const waiting = queue.take();
    await queue.shutdown();
    queue.add('a');
    queue.addAfter('b', 0);
    expect([await waiting, await queue.take(), queue.depth]).toEqual([undefined, undefined, 0]);
  });
});

test('whatever is added, taken and given back in whatever order, no key is lost and none is out twice', async () => {
  const step = fc.record({ op: fc.constantFrom('add', 'take', 'done'), key: fc.constantFrom('a', 'b', 'c') });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { queue } = queueWith();
      const out = new Set<string>();
      const wanted = new Set<string>();
      for (const { op, key } of steps) {
        if (op === 'add') {
          queue.add(key);
          wanted.add(key);
        } else if (op === 'done' && out.delete(key)) {
          queue.done(key);
        } else if (op === 'take' && queue.depth > 0) {
          const taken = (await queue.take()) as string;
          expect(out.has(taken)).toBe(false);
          out.add(taken);
          wanted.delete(taken);
        }
      }
      for (const key of out) queue.done(key);
      const left = await Promise.all(Array.from({ length: queue.depth }, () => queue.take()));
      expect(new Set(left)).toEqual(wanted);
    }),
  );
});
