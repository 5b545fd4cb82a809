import { expect, test } from '@jest/globals';
import type { Phase } from './phase-job.js';
import type { PhaseHandler } from './port.js';
import { type Bench, DEADLINE_MS, DONE, door, job, until } from './queue-bench.contract.js';

/** Who runs jobs, what their outcomes lead to, and what becomes of a worker that stops or dies. */
export const testConsumers = (bench: Bench): void => {
  test('holds no worker while a job waits for its pod, and comes back after the delay', async () => {
    const seen: string[] = [];
    let waits = 0;
    await bench.consume(async (one) => {
      seen.push(one.pod);
      if (one.pod !== 'waiting' || waits === 2) return DONE;
      waits += 1;
      return { kind: 'not-yet', afterMs: 500, reason: 'NotReady' };
    });
    await bench.queue.enqueue([job('waiting', 'migration'), job('other')]);
    await until('both are done', async () => seen.length === 4 && (await bench.empty()));
    expect(seen).toEqual(['waiting', 'other', 'waiting', 'waiting']);
  });

  test('enqueues the next phase of a job that is done, with its delay', async () => {
    const seen: Phase[] = [];
    await bench.consume(async (one) => {
      seen.push(one.phase);
      if (one.phase === 'upgrade') return { kind: 'done', next: job('a', 'reset'), nextOptions: { priority: 1 } };
      if (one.phase === 'reset')
        return { kind: 'done', next: job('a', 'migration'), nextOptions: { delayMs: 3_600_000 } };
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('the last one waits', async () => (await bench.queue.depth()).delayed === 1);
    expect(seen).toEqual(['upgrade', 'reset']);
  });

  test("retries by the error's own rule, and drops what must never be retried", async () => {
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      if (one.pod === 'never') throw Object.assign(new Error('no'), { retry: 'never' });
      if (seen.filter((pod) => pod === one.pod).length === 1)
        throw Object.assign(new Error('later'), { retry: { afterMs: 20 } });
      return DONE;
    });
    await bench.queue.enqueue([job('never'), job('after')]);
    await until('nothing is left', async () => seen.length >= 3 && (await bench.empty()));
    expect(seen).toEqual(['never', 'after', 'after']);
    const failures = bench.under.events.flatMap((event) =>
      event.kind === 'job-failed' ? [[event.job.pod, event.retryInMs]] : [],
    );
    expect(failures).toEqual([
      ['never', 'never'],
      ['after', 20],
    ]);
  });

  test('retries an unknown failure with back-off, also one that is not an Error', async () => {
    let runs = 0;
    await bench.consume(async () => {
      runs += 1;
      if (runs === 1) throw 'a bare string';
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('it was retried', async () => runs === 2 && (await bench.empty()));
  });

  test('runs as many jobs at once as it was told, and no more', async () => {
    const open = door();
    let running = 0;
    let most = 0;
    let ended = 0;
    await bench.consume(async () => {
      running += 1;
      most = Math.max(most, running);
      await open.passed;
      running -= 1;
      ended += 1;
      return DONE;
    }, 3);
    await bench.queue.enqueue(['a', 'b', 'c', 'd', 'e', 'f'].map((pod) => job(pod)));
    await until('three run', async () => running === 3 && (await bench.queue.depth()).active === 3);
    open.open();
    await until('all ended', () => ended === 6);
    expect(most).toBe(3);
  });

  test('a consumer that closes lets its running jobs finish', async () => {
    const open = door();
    let ended = false;
    let running = false;
    const consumer = await bench.consume(async () => {
      running = true;
      await open.passed;
      ended = true;
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('it runs', () => running);
    const closing = consumer.close(DEADLINE_MS);
    open.open();
    await closing;
    expect(ended).toBe(true);
    await until('the job is gone', bench.empty);
  });

  test('a job whose worker died is run again by another one, and its signal tells the first', async () => {
    let signal: AbortSignal | undefined;
    const dying = await bench.consume(async (_job, given) => {
      signal = given;
      await new Promise(() => undefined);
      return DONE;
    });
    await bench.queue.enqueue([job('a')]);
    await until('the first runs it', () => signal !== undefined);
    await dying.close(0);
    expect(signal?.aborted).toBe(true);
    const seen: string[] = [];
    await bench.consume(async (one) => {
      seen.push(one.pod);
      return DONE;
    });
    await until('the second ran it', async () => seen.length === 1 && (await bench.empty()));
  });

  test('many consumers share the jobs and run each once', async () => {
    const pods = Array.from({ length: 60 }, (_, index) => `pod-${index}`);
    const seen: string[] = [];
    const handler: PhaseHandler = async (one) => {
      seen.push(one.pod);
      return DONE;
    };
    await bench.consume(handler, 2);
    await bench.consume(handler, 2, bench.under.another());
    await bench.queue.enqueue(pods.map((pod) => job(pod)));
    await until('all ran', async () => seen.length >= pods.length && (await bench.empty()));
    expect([...seen].sort()).toEqual([...pods].sort());
  });
};
