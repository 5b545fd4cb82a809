import type { BenchContext, Row } from '../bench.js';
import { Chain, type Generation } from './generations.js';

const SLOTS = 32;

interface Crash {
  name: string;
  /** Without one nobody holds the socket from the crash to the restart; that is only shown. */
  custodian: boolean;
  /** How the version that crashes came to serve. */
  before: 'restart' | 'hand-over';
}

const CRASHES: Crash[] = [
  { name: 'only one killed, custodian', custodian: true, before: 'restart' },
  { name: 'handed over, then killed, custodian', custodian: true, before: 'hand-over' },
  { name: 'only one killed, no custodian', custodian: false, before: 'restart' },
];

/** The only process that serves dies with no hand-over going on, and is started again. */
export async function runCrashes(context: BenchContext, program: string, times: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const crash of CRASHES) {
    context.say(`${crash.name}: ${times} times`);
    rows.push(await runCrash(context, program, crash, times));
  }
  return rows;
}

async function runCrash(context: BenchContext, program: string, crash: Crash, times: number): Promise<Row> {
  const chain = await Chain.create(context.root, 'takeover');
  const custodian = crash.custodian ? chain.startCustodian() : undefined;
  let generation = 0;
  let failedAttempts = 0;
  const next = async (): Promise<Generation> => {
    const attempt = await chain.takeOver(++generation);
    failedAttempts += attempt.failed;
    return attempt.next;
  };
  try {
    let serving = chain.start(generation);
    await serving.hears('owner');
    const load = chain.startClients(program, { slots: SLOTS, mode: 'short' });
    const restarts: number[] = [];
    for (let i = 0; i < times; i++) {
      if (crash.before === 'hand-over') {
        const old = serving;
        serving = await next();
        await old.hears('done');
      }
      await custodian?.keeps(generation);
      await load.answered(SLOTS * 5);
      const killedAt = performance.now();
      serving.child.kill('SIGKILL');
      await serving.exited;
      serving = await next();
      restarts.push(performance.now() - killedAt);
      await load.answered(SLOTS * 5);
    }
    const seen = await load.report();
    // A client that gives up waiting says how long the restart took here; what was inside the dead process is cut.
    const cut = seen.reset + seen.other;
    return {
      name: crash.name,
      ok: !crash.custodian || (seen.refused === 0 && cut <= SLOTS * times),
      crashes: times,
      failedAttempts,
      answered: seen.ok,
      refused: seen.refused,
      cut,
      timeouts: seen.timeouts,
      longestGapMs: seen.longestGapMs,
      longestRestartMs: Math.max(...restarts),
    };
  } finally {
    await chain.close();
  }
}
