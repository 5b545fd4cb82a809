import { expect, test } from '@jest/globals';
import { type Bench, DEADLINE_MS, DONE, door, job, until } from './queue-bench.contract.js';

/** A queue that loses its content or cannot be reached. */
export const testFaults = (bench: Bench): void => {
  test('keeps its generation until it loses what it held, and then works on', async () => {
    const before = await bench.queue.ping();
    await bench.queue.enqueue([job('lost')]);
    expect(await bench.queue.ping()).toEqual(before);
    await bench.under.loseEverything();
    expect((await bench.queue.ping()).generation).not.toBe(before.generation);
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await bench.queue.enqueue([job('found')]);
    await until('the new job ran', async () => seen.length === 1 && (await bench.empty()));
    expect(seen).toEqual(['found']);
  });

  test('losing everything while a job runs leaves the consumer at work', async () => {
    const open = door();
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      if (one.pod === 'a') await open.passed;
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('it runs', () => seen.length === 1);
    await bench.under.loseEverything();
    open.open();
    await bench.queue.enqueue([job('b')]);
    await until('the next ran', () => seen.includes('b'));
  });

  test('refuses producers when it cannot be reached, and consumers go on by themselves', async () => {
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await bench.queue.enqueue([job('before')]);
    await until('the first ran', async () => seen.length === 1 && (await bench.empty()));
    await bench.under.cutOff();
    await expect(bench.queue.enqueue([job('meanwhile')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await expect(bench.queue.ping()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', retry: 'backoff' });
    await expect(bench.queue.depth()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
    await bench.under.bringBack();
    await until('the queue answers', () =>
      bench.queue.enqueue([job('after')]).then(
        () => true,
        () => false,
      ),
    );
    await until('the consumer works again', () => seen.includes('after'));
  });

  test('closes at once while it cannot be reached', async () => {
    const consumer = await bench.consume(async () => DONE);
    await bench.queue.enqueue([job('a')]);
    await until('it ran', bench.empty);
    await bench.under.cutOff();
    const from = Date.now();
    await consumer.close(DEADLINE_MS);
    await bench.queue.close();
    expect(Date.now() - from).toBeLessThan(DEADLINE_MS / 2);
    await bench.under.bringBack();
  });
};
