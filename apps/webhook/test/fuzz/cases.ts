import { Worker } from 'node:worker_threads';
import { afterAll, test } from '@jest/globals';
import { Mutations } from '../mutations.js';
import type { Pieces } from './pieces.js';

/** How many hostile documents there are, over all suites. The variables are for whoever looks for new faults. */
const CASES = Number(process.env.SIDESTEP_FUZZ_CASES ?? 100_000);
const SEED = Number(process.env.SIDESTEP_FUZZ_SEED ?? 20_261_122);

/** How large a part of all cases each suite has, in percent. */
const SHARES = {
  pods: 40,
  podText: 3,
  sidecarSets: 32,
  sidecarSetText: 3,
  conversions: 8,
  overTls: 2,
  podsThroughApiServer: 2,
  setsThroughApiServer: 1,
  hostilePods: 3,
  hostileSets: 3,
  hostileConversions: 3,
};

/** An answer that takes this long will never come. */
const HANG_MS = 120_000;

/** One case: makes its own damage, and throws when something is wrong. `show` keeps what is printed then. */
export type FuzzCase = (mutations: Mutations, show: (input: unknown) => void) => Promise<void>;

/** A test of many cases, the same in every run. Failing, it says which one it was, of which seed, and what was sent. */
export function fuzz(suite: keyof typeof SHARES, what: string, pieces: Pieces, run: FuzzCase): void {
  const count = Math.ceil((CASES * SHARES[suite]) / 100);
  const watch = watchForHangs(suite);
  afterAll(watch.end);
  test(what, async () => {
    try {
      for (let number = 0; number < count; number++) {
        watch.begins(number);
        await runOne(suite, number, pieces, run);
      }
    } finally {
      watch.rests();
    }
  }, 1_800_000);
}

async function runOne(suite: keyof typeof SHARES, number: number, pieces: Pieces, run: FuzzCase): Promise<void> {
  let input: unknown;
  try {
    const seed = SEED + 1_000_003 * Object.keys(SHARES).indexOf(suite) + number;
    await run(new Mutations(seed, pieces), (shown) => {
      input = shown;
    });
  } catch (error) {
    const text = typeof input === 'string' ? input : JSON.stringify(input);
    const where = `case ${number} of ${suite}, seed ${SEED}`;
    throw new Error(
      `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${text?.slice(0, 20_000)}`,
    );
  }
}

/** A thread that ends this process when no case begins any more: what never returns cannot be timed out from within. */
function watchForHangs(suite: string): { begins(number: number): void; rests(): void; end(): Promise<unknown> } {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(WATCH, { eval: true, workerData: { progress, suite, seed: SEED, hangMs: HANG_MS } });
  worker.unref();
  const tell = (value: number): void => {
    Atomics.store(progress, 0, value);
    Atomics.notify(progress, 0);
  };
  return { begins: (number) => tell(number + 1), rests: () => tell(0), end: () => worker.terminate() };
}

const WATCH = `
const { workerData: { progress, suite, seed, hangMs } } = require('node:worker_threads');
for (;;) {
  const last = Atomics.load(progress, 0);
  if (last === 0) Atomics.wait(progress, 0, 0);
  else if (Atomics.wait(progress, 0, last, hangMs) === 'timed-out') {
    require('node:fs').writeSync(2, 'case ' + (last - 1) + ' of ' + suite + ', seed ' + seed + ', hangs\\n');
    process.kill(process.pid, 'SIGKILL');
  }
}`;
