import { expect, test } from '@jest/globals';
import type { PhaseJob } from './phase-job.js';
import { type Bench, DONE, door, job, until } from './queue-bench.contract.js';

/** One id, one job: what is run, how often, and in which order. */
export const testJobs = (bench: Bench): void => {
  test('hands a job to a consumer with all its keys, and forgets it when it is done', async () => {
    const given: PhaseJob = { ...job('a'), epoch: 4, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const seen: PhaseJob[] = [];
    await bench.consume(async (one) => {
      seen.push(one);
      return DONE;
    });
    await bench.queue.enqueue([given]);
    await until('the job ran and left', async () => seen.length === 1 && (await bench.empty()));
    expect(seen).toEqual([given]);
  });

  test('runs a job once that is asked for many times while it waits', async () => {
    await bench.queue.enqueue([job('a'), job('a')]);
    await bench.queue.enqueue([job('a')]);
    expect((await bench.queue.depth()).waiting).toBe(1);
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await until('the queue is empty', bench.empty);
    expect(seen).toEqual(['a']);
  });

  test('hands out a waiting or delayed job as it was asked for last', async () => {
    await bench.queue.enqueue([{ ...job('a'), epoch: 1 }]);
    await bench.queue.enqueue([{ ...job('b'), epoch: 1 }], { delayMs: 3_600_000 });
    await bench.queue.enqueue([
      { ...job('a'), epoch: 2 },
      { ...job('b'), epoch: 2 },
    ]);
    const seen: PhaseJob[] = [];
    await bench.consume(async (one) => {
      seen.push(one);
      return DONE;
    });
    await until('both ran', () => seen.length === 2);
    expect(seen.map(({ pod, epoch }) => [pod, epoch])).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });

  test('turns the look at a migration that waits into the reset that is asked for', async () => {
    const look = { ...job('a'), phase: 'migration' } as const;
    await bench.queue.enqueue([look], { delayMs: 3_600_000 });
    await bench.queue.enqueue([{ ...look, phase: 'reset' }]);
    const seen: string[] = [];
    await bench.consume(async ({ phase }) => {
      seen.push(phase);
      return DONE;
    });
    await until('it ran and left', async () => seen.length === 1 && (await bench.empty()));
    expect(seen).toEqual(['reset']);
  });

  test('lets a job wait for nobody that one client asks for at once and another, in the same moment, with a delay', async () => {
    const other = bench.under.another();
    await Promise.all([other.ping(), bench.queue.ping()]);
    const names = Array.from({ length: 100 }, (_, index) => `p${index}`);
    await Promise.all(
      names.flatMap((name) => [
        other.enqueue([job(name, 'migration')], { delayMs: 3_600_000 }),
        bench.queue.enqueue([job(name, 'reset')]),
      ]),
    );
    expect(await bench.queue.depth()).toEqual({ waiting: 100, active: 0, delayed: 0 });
  });

  test('takes a finished id again', async () => {
    let runs = 0;
    await bench.consume(async () => {
      runs += 1;
      return DONE;
    });
    for (let round = 1; round <= 3; round += 1) {
      await bench.queue.enqueue([job('a')]);
      await until(`round ${round} ended`, async () => runs === round && (await bench.empty()));
    }
  });

  test('runs the most urgent first, and equals in their order', async () => {
    await bench.queue.enqueue([job('late')], { priority: 500 });
    await bench.queue.enqueue([job('normal-1'), job('normal-2')]);
    await bench.queue.enqueue([job('urgent')], { priority: 1 });
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await until('all ran', () => seen.length === 4);
    expect(seen).toEqual(['urgent', 'normal-1', 'normal-2', 'late']);
  });

  test('brings a delayed job forward when it is asked for sooner, and never pushes it back', async () => {
    await bench.queue.enqueue([job('a')], { delayMs: 3_600_000 });
    await bench.queue.enqueue([job('a')], { delayMs: 7_200_000 });
    expect(await bench.queue.depth()).toEqual({ waiting: 0, active: 0, delayed: 1 });
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('the job ran', async () => seen.length === 1 && (await bench.empty()));
  });

  test('brings a delayed job forward to a shorter delay', async () => {
    await bench.queue.enqueue([job('a')], { delayMs: 3_600_000 });
    const asked = Date.now();
    let ranAt = 0;
    await bench.consume(async () => {
      ranAt = Date.now();
      return DONE;
    });
    await bench.queue.enqueue([job('a')], { delayMs: 50 });
    await until('the job ran', () => ranAt > 0);
    expect(ranAt - asked).toBeGreaterThanOrEqual(49);
  });

  test('runs a job once more when it was asked for while it ran', async () => {
    const first = door();
    const epochs: (number | undefined)[] = [];
    let runs = 0;
    await bench.consume(async ({ epoch }) => {
      runs += 1;
      epochs.push(epoch);
      if (runs === 1) await first.passed;
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('it runs', () => runs === 1);
    await bench.queue.enqueue([job('a')]);
    await bench.queue.enqueue([{ ...job('a'), epoch: 7 }]);
    first.open();
    await until('it ran again and left', async () => runs === 2 && (await bench.empty()));
    expect(epochs).toEqual([undefined, 7]);
  });

  test('looks again at once at a pod that was asked for while its job said not yet', async () => {
    const first = door();
    let runs = 0;
    await bench.consume(async () => {
      runs += 1;
      if (runs > 1) return DONE;
      await first.passed;
      return { kind: 'not-yet', afterMs: 3_600_000, reason: 'NotReady' };
    });
    await bench.queue.enqueue([job('a', 'migration')]);
    await until('it runs', () => runs === 1);
    await bench.queue.enqueue([job('a', 'migration')]);
    first.open();
    await until('it ran again and left', async () => runs === 2 && (await bench.empty()));
  });
};
