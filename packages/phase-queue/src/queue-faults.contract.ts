import { expect, test } from '@jest/globals';
import { type Bench, DEADLINE_MS, DONE, door, job, SOON_MS, soon, until } from './queue-bench.contract.js';

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

  test('refuses producers soon when it cannot be reached, and consumers go on by themselves soon after it is back', async () => {
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await bench.queue.enqueue([job('before')]);
    await until('the first ran', async () => seen.length === 1 && (await bench.empty()));
    await bench.under.cutOff();
    const refused = { code: 'QUEUE_UNAVAILABLE', retry: 'backoff' };
    await expect(soon('a job to be refused', bench.queue.enqueue([job('meanwhile')]))).rejects.toMatchObject(refused);
    await expect(soon('a ping to be refused', bench.queue.ping())).rejects.toMatchObject(refused);
    await expect(soon('its depth to be refused', bench.queue.depth())).rejects.toMatchObject(refused);
    await bench.under.bringBack();
    const isTaken = (): Promise<boolean> =>
      bench.queue.enqueue([job('after')]).then(
        () => true,
        () => false,
      );
    await until('the queue answers, soon', isTaken, SOON_MS);
    await until('the consumer works again, soon', () => seen.includes('after'), SOON_MS);
  });

  test('closes at once while it cannot be reached', async () => {
    const consumer = await bench.consume(async () => DONE);
    await bench.queue.enqueue([job('a')]);
    await until('it ran', bench.empty);
    await bench.under.cutOff();
    await soon(
      'the consumer and the queue to be closed',
      consumer.close(DEADLINE_MS).then(() => bench.queue.close()),
    );
    await bench.under.bringBack();
  });
};
