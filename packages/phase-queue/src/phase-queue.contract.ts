/** What every phase queue must do; run on the Redis queue and on the in-process twin. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Phase, PhaseJob } from './phase-job.js';
import type { PhaseConsumer, PhaseHandler, PhaseOutcome, PhaseQueuePort, QueueEvent } from './port.js';

/** One queue under test and the faults that can happen to it. */
export interface QueueUnderTest {
  queue: PhaseQueuePort;
  events: QueueEvent[];
  /** Another client of the same queue, as another process would have. */
  another(): PhaseQueuePort;
  loseEverything(): Promise<void>;
  cutOff(): Promise<void>;
  bringBack(): Promise<void>;
  stop(): Promise<void>;
}

const DEADLINE_MS = 20_000;
const DONE: PhaseOutcome = { kind: 'done' };

const job = (pod: string, phase: Phase = 'upgrade'): PhaseJob => ({
  namespace: 'shop',
  pod,
  uid: `uid-of-${pod}`,
  sidecarSet: 'mesh-set',
  revision: 'r2',
  phase,
  attempt: 0,
});

/** Waits for a condition, and fails loudly when it does not come. */
export const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** A door that a handler waits at until the test opens it. */
const door = () => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
};

export const describePhaseQueue = (name: string, start: () => Promise<QueueUnderTest>): void => {
  describe(`a phase queue: ${name}`, () => {
    let under: QueueUnderTest;
    let queue: PhaseQueuePort;
    const consumers: PhaseConsumer[] = [];

    const consume = async (handler: PhaseHandler, concurrency = 1, from = queue): Promise<PhaseConsumer> => {
      const consumer = await from.consume(handler, { concurrency });
      consumers.push(consumer);
      return consumer;
    };
    const empty = async (): Promise<boolean> => {
      const depth = await queue.depth();
      return depth.waiting + depth.active + depth.delayed === 0;
    };

    beforeEach(async () => {
      under = await start();
      queue = under.queue;
    });

    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.close(0)));
      await under.stop();
    });

    test('hands a job to a consumer with all its keys, and forgets it when it is done', async () => {
      const given: PhaseJob = { ...job('a'), epoch: 4, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
      const seen: PhaseJob[] = [];
      await consume(async (one) => {
        seen.push(one);
        return DONE;
      });
      await queue.enqueue([given]);
      await until('the job ran and left', async () => seen.length === 1 && (await empty()));
      expect(seen).toEqual([given]);
    });

    test('runs a job once that is asked for many times while it waits', async () => {
      await queue.enqueue([job('a'), job('a')]);
      await queue.enqueue([job('a')]);
      expect((await queue.depth()).waiting).toBe(1);
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await until('the queue is empty', empty);
      expect(seen).toEqual(['a']);
    });

    test('hands out a waiting or delayed job as it was asked for last', async () => {
      await queue.enqueue([{ ...job('a'), epoch: 1 }]);
      await queue.enqueue([{ ...job('b'), epoch: 1 }], { delayMs: 3_600_000 });
      await queue.enqueue([
        { ...job('a'), epoch: 2 },
        { ...job('b'), epoch: 2 },
      ]);
      const seen: PhaseJob[] = [];
      await consume(async (one) => {
        seen.push(one);
        return DONE;
      });
      await until('both ran', () => seen.length === 2);
      expect(seen.map(({ pod, epoch }) => [pod, epoch])).toEqual([
        ['a', 2],
        ['b', 2],
      ]);
    });

    test('takes a finished id again', async () => {
      let runs = 0;
      await consume(async () => {
        runs += 1;
        return DONE;
      });
      for (let round = 1; round <= 3; round += 1) {
        await queue.enqueue([job('a')]);
        await until(`round ${round} ended`, async () => runs === round && (await empty()));
      }
    });

    test('runs the most urgent first, and equals in their order', async () => {
      await queue.enqueue([job('late')], { priority: 500 });
      await queue.enqueue([job('normal-1'), job('normal-2')]);
      await queue.enqueue([job('urgent')], { priority: 1 });
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await until('all ran', () => seen.length === 4);
      expect(seen).toEqual(['urgent', 'normal-1', 'normal-2', 'late']);
    });

    test('brings a delayed job forward when it is asked for sooner, and never pushes it back', async () => {
      await queue.enqueue([job('a')], { delayMs: 3_600_000 });
      await queue.enqueue([job('a')], { delayMs: 7_200_000 });
      expect(await queue.depth()).toEqual({ waiting: 0, active: 0, delayed: 1 });
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('the job ran', async () => seen.length === 1 && (await empty()));
    });

    test('brings a delayed job forward to a shorter delay', async () => {
      await queue.enqueue([job('a')], { delayMs: 3_600_000 });
      const asked = Date.now();
      let ranAt = 0;
      await consume(async () => {
        ranAt = Date.now();
        return DONE;
      });
      await queue.enqueue([job('a')], { delayMs: 50 });
      await until('the job ran', () => ranAt > 0);
      expect(ranAt - asked).toBeGreaterThanOrEqual(49);
    });

    test('runs a job once more when it was asked for while it ran', async () => {
      const first = door();
      const epochs: (number | undefined)[] = [];
      let runs = 0;
      await consume(async ({ epoch }) => {
        runs += 1;
        epochs.push(epoch);
        if (runs === 1) await first.passed;
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('it runs', () => runs === 1);
      await queue.enqueue([job('a')]);
      await queue.enqueue([{ ...job('a'), epoch: 7 }]);
      first.open();
      await until('it ran again and left', async () => runs === 2 && (await empty()));
      expect(epochs).toEqual([undefined, 7]);
    });

    test('looks again at once at a pod that was asked for while its job said not yet', async () => {
      const first = door();
      let runs = 0;
      await consume(async () => {
        runs += 1;
        if (runs > 1) return DONE;
        await first.passed;
        return { kind: 'not-yet', afterMs: 3_600_000, reason: 'NotReady' };
      });
      await queue.enqueue([job('a', 'migration')]);
      await until('it runs', () => runs === 1);
      await queue.enqueue([job('a', 'migration')]);
      first.open();
      await until('it ran again and left', async () => runs === 2 && (await empty()));
    });

    test('holds no worker while a job waits for its pod, and comes back after the delay', async () => {
      const seen: string[] = [];
      let waits = 0;
      await consume(async (one) => {
        seen.push(one.pod);
        if (one.pod !== 'waiting' || waits === 2) return DONE;
        waits += 1;
        return { kind: 'not-yet', afterMs: 30, reason: 'NotReady' };
      });
      await queue.enqueue([job('waiting', 'migration'), job('other')]);
      await until('both are done', async () => seen.length === 4 && (await empty()));
      expect(seen).toEqual(['waiting', 'other', 'waiting', 'waiting']);
    });

    test('enqueues the next phase of a job that is done, with its delay', async () => {
      const seen: Phase[] = [];
      await consume(async (one) => {
        seen.push(one.phase);
        if (one.phase === 'upgrade') return { kind: 'done', next: job('a', 'reset'), nextOptions: { priority: 1 } };
        if (one.phase === 'reset')
          return { kind: 'done', next: job('a', 'migration'), nextOptions: { delayMs: 3_600_000 } };
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('the last one waits', async () => (await queue.depth()).delayed === 1);
      expect(seen).toEqual(['upgrade', 'reset']);
    });

    test("retries by the error's own rule, and drops what must never be retried", async () => {
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        if (one.pod === 'never') throw Object.assign(new Error('no'), { retry: 'never' });
        if (seen.filter((pod) => pod === one.pod).length === 1)
          throw Object.assign(new Error('later'), { retry: { afterMs: 20 } });
        return DONE;
      });
      await queue.enqueue([job('never'), job('after')]);
      await until('nothing is left', async () => seen.length >= 3 && (await empty()));
      expect(seen).toEqual(['never', 'after', 'after']);
      const failures = under.events.flatMap((event) =>
        event.kind === 'job-failed' ? [[event.job.pod, event.retryInMs]] : [],
      );
      expect(failures).toEqual([
        ['never', 'never'],
        ['after', 20],
      ]);
    });

    test('retries an unknown failure with back-off, also one that is not an Error', async () => {
      let runs = 0;
      await consume(async () => {
        runs += 1;
        if (runs === 1) throw 'a bare string';
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('it was retried', async () => runs === 2 && (await empty()));
    });

    test('runs as many jobs at once as it was told, and no more', async () => {
      const open = door();
      let running = 0;
      let most = 0;
      let ended = 0;
      await consume(async () => {
        running += 1;
        most = Math.max(most, running);
        await open.passed;
        running -= 1;
        ended += 1;
        return DONE;
      }, 3);
      await queue.enqueue(['a', 'b', 'c', 'd', 'e', 'f'].map((pod) => job(pod)));
      await until('three run', async () => running === 3 && (await queue.depth()).active === 3);
      open.open();
      await until('all ended', () => ended === 6);
      expect(most).toBe(3);
    });

    test('a consumer that closes lets its running jobs finish', async () => {
      const open = door();
      let ended = false;
      let running = false;
      const consumer = await consume(async () => {
        running = true;
        await open.passed;
        ended = true;
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('it runs', () => running);
      const closing = consumer.close(DEADLINE_MS);
      open.open();
      await closing;
      expect(ended).toBe(true);
      await until('the job is gone', empty);
    });

    test('a job whose worker died is run again by another one, and its signal tells the first', async () => {
      let signal: AbortSignal | undefined;
      const dying = await consume(async (_job, given) => {
        signal = given;
        await new Promise(() => undefined);
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('the first runs it', () => signal !== undefined);
      await dying.close(0);
      expect(signal?.aborted).toBe(true);
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await until('the second ran it', async () => seen.length === 1 && (await empty()));
    });

    test('many consumers share the jobs and run each once', async () => {
      const pods = Array.from({ length: 60 }, (_, index) => `pod-${index}`);
      const seen: string[] = [];
      const handler: PhaseHandler = async (one) => {
        seen.push(one.pod);
        return DONE;
      };
      await consume(handler, 2);
      await consume(handler, 2, under.another());
      await queue.enqueue(pods.map((pod) => job(pod)));
      await until('all ran', async () => seen.length >= pods.length && (await empty()));
      expect([...seen].sort()).toEqual([...pods].sort());
    });

    test('keeps its generation until it loses what it held, and then works on', async () => {
      const before = await queue.ping();
      await queue.enqueue([job('lost')]);
      expect(await queue.ping()).toEqual(before);
      await under.loseEverything();
      expect((await queue.ping()).generation).not.toBe(before.generation);
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await queue.enqueue([job('found')]);
      await until('the new job ran', async () => seen.length === 1 && (await empty()));
      expect(seen).toEqual(['found']);
    });

    test('losing everything while a job runs leaves the consumer at work', async () => {
      const open = door();
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        if (one.pod === 'a') await open.passed;
        return DONE;
      });
      await queue.enqueue([job('a')]);
      await until('it runs', () => seen.length === 1);
      await under.loseEverything();
      open.open();
      await queue.enqueue([job('b')]);
      await until('the next ran', () => seen.includes('b'));
    });

    test('refuses producers within three seconds when it cannot be reached, and consumers go on by themselves', async () => {
      const seen: string[] = [];
      await consume(async (one) => {
        seen.push(one.pod);
        return DONE;
      });
      await queue.enqueue([job('before')]);
      await until('the first ran', async () => seen.length === 1 && (await empty()));
      await under.cutOff();
      const refusedFrom = Date.now();
      await expect(queue.enqueue([job('meanwhile')])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
      await expect(queue.ping()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE', retry: 'backoff' });
      await expect(queue.depth()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
      expect(Date.now() - refusedFrom).toBeLessThan(9_000);
      await under.bringBack();
      const backAt = Date.now();
      await until('the queue answers', () =>
        queue.enqueue([job('after')]).then(
          () => true,
          () => false,
        ),
      );
      await until('the consumer works again', () => seen.includes('after'));
      expect(Date.now() - backAt).toBeLessThan(5_000);
    });

    test('closes at once while it cannot be reached', async () => {
      const consumer = await consume(async () => DONE);
      await queue.enqueue([job('a')]);
      await until('it ran', empty);
      await under.cutOff();
      const from = Date.now();
      await consumer.close(DEADLINE_MS);
      await queue.close();
      expect(Date.now() - from).toBeLessThan(DEADLINE_MS / 2);
      await under.bringBack();
    });
  });
};
