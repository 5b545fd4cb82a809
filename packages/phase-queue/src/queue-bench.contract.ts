/** What the parts of the phase queue's contract share: a queue under test, its faults, and consumers that are closed again. */
import { afterEach, beforeEach, jest } from '@jest/globals';
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

/** Against a wait without end, not a slow machine. */
export const DEADLINE_MS = 60_000;
/** What takes longer makes its caller wait, however slow the machine is. */
export const SOON_MS = 30_000;
/** A look that takes longer counts as no more: the machine, and with it what is waited for, may have stood still. */
const MOST_OF_ONE_LOOK_MS = 1_000;
export const DONE: PhaseOutcome = { kind: 'done' };

/** A job of a pod; the same name always gives the same id. */
export const job = (pod: string, phase: Phase = 'upgrade'): PhaseJob => ({
  namespace: 'shop',
  pod,
  uid: `uid-of-${pod}`,
  sidecarSet: 'mesh-set',
  revision: 'r2',
  phase,
  attempt: 0,
});

/** Waits for a condition, and fails loudly when it does not come. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> => {
  let waitedMs = 0;
  for (let since = Date.now(); !(await holds()); since = Date.now()) {
    if (waitedMs > deadlineMs) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    waitedMs += Math.min(Date.now() - since, MOST_OF_ONE_LOOK_MS);
  }
};

/** What the call comes to, or a loud failure when it comes to nothing soon. */
export const soon = async <T>(what: string, call: Promise<T>): Promise<T> => {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  call.then(settle, settle);
  await until(`${what}, soon`, () => settled, SOON_MS);
  return call;
};

/** A door that a handler waits at until the test opens it. */
export const door = () => {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
};

/** The queue of the running test, which has one of its own. */
export interface Bench {
  readonly under: QueueUnderTest;
  readonly queue: PhaseQueuePort;
  consume(handler: PhaseHandler, concurrency?: number, from?: PhaseQueuePort): Promise<PhaseConsumer>;
  /** Holds no job in any state. */
  empty(): Promise<boolean>;
}

export const benchFor = (start: () => Promise<QueueUnderTest>): Bench => {
  // Above the deadline of every wait, so that a wait in vain says what it waited for.
  jest.setTimeout(5 * DEADLINE_MS);
  let under: QueueUnderTest;
  const consumers: PhaseConsumer[] = [];

  beforeEach(async () => {
    under = await start();
    // A producer gives up on a first connection after a second, which a busy machine may need for a cluster.
    await until('the queue answers', () =>
      under.queue.ping().then(
        () => true,
        () => false,
      ),
    );
  });

  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close(0)));
    await under.stop();
  });

  return {
    get under() {
      return under;
    },
    get queue() {
      return under.queue;
    },
    async consume(handler, concurrency = 1, from = under.queue) {
      const consumer = await from.consume(handler, { concurrency });
      consumers.push(consumer);
      return consumer;
    },
    async empty() {
      const depth = await under.queue.depth();
      return depth.waiting + depth.active + depth.delayed === 0;
    },
  };
};
