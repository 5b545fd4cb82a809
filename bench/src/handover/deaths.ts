import type { BenchContext, Row } from '../bench.js';
import { Clients, lostOf } from './clients.js';
import { Chain } from './generations.js';

const SLOTS = 32;
const NEW_BEFORE_COMMIT = [
  'taker:got:CHALLENGE',
  'taker:got:OFFER',
  'taker:got:STATE',
  'taker:got:GO',
  'taker:send:SERVING',
];
const OLD_AFTER_OFFER = ['giver:got:PREPARED', 'giver:send:GO', 'giver:got:SERVING', 'giver:send:COMMITTED'];

interface Death {
  name: string;
  side: 'old' | 'new';
  point: string;
  signal: string;
}

const DEATHS: Death[] = [
  ...NEW_BEFORE_COMMIT.map((point) => ({
    name: `new killed, ${point.slice(6)}`,
    side: 'new' as const,
    point,
    signal: 'SIGKILL',
  })),
  { name: 'new killed, got:COMMITTED', side: 'new', point: 'taker:got:COMMITTED', signal: 'SIGKILL' },
  { name: 'new stopped, got:COMMITTED', side: 'new', point: 'taker:got:COMMITTED', signal: 'SIGSTOP' },
  ...OLD_AFTER_OFFER.map((point) => ({
    name: `old killed, ${point.slice(6)}`,
    side: 'old' as const,
    point,
    signal: 'SIGKILL',
  })),
];

/** Every death at every arrow of the protocol: nobody is refused, and what is lost was inside the process that died. */
export async function runDeaths(context: BenchContext, program: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const death of DEATHS) {
    context.say(death.name);
    rows.push(await runDeath(context, program, death));
  }
  return rows;
}

async function runDeath(context: BenchContext, program: string, death: Death): Promise<Row> {
  const chain = await Chain.create(context.root, 'takeover');
  const interrupt = { point: death.point, signal: death.signal };
  const limits = { guardMs: 3_000 };
  const old = chain.start(1, { limits, ...(death.side === 'old' ? { interrupt } : {}) });
  await old.hears('owner');
  const clients = new Clients(program, { port: chain.port, slots: SLOTS, mode: 'short' });
  try {
    await clients.answered(SLOTS * 5);
    const next = chain.start(2, death.side === 'new' ? { interrupt } : {});
    await (death.side === 'new' ? next.hears('interrupted') : old.exited);
    const after = await clients.answered(SLOTS * 10);
    if (death.signal === 'SIGSTOP') await old.hears('resume');
    const seen = await clients.report();
    const longestGapMs = Math.max(after.longestGapMs, seen.longestGapMs);
    const lost = lostOf(seen);
    return {
      name: death.name,
      ok: seen.refused === 0 && lost <= SLOTS,
      answered: seen.ok,
      refused: seen.refused,
      lost,
      longestGapMs,
    };
  } finally {
    clients.stop();
    await chain.close();
  }
}

/** Failed and successful attempts in alternation. */
export async function runAlternation(context: BenchContext, program: string, pairs: number): Promise<Row> {
  context.say(`${pairs} failed and ${pairs} successful attempts in alternation`);
  const chain = await Chain.create(context.root, 'takeover');
  await chain.start(0).hears('owner');
  const clients = new Clients(program, { port: chain.port, slots: SLOTS, mode: 'short' });
  try {
    for (let i = 0; i < pairs; i++) {
      const point = NEW_BEFORE_COMMIT[i % 4]!;
      await chain.start(2 * i + 1, { interrupt: { point, signal: 'SIGKILL' } }).exited;
      await chain.start(2 * i + 2).hears('owner');
    }
    await clients.answered(SLOTS);
    const seen = await clients.report();
    const lost = lostOf(seen);
    return {
      name: 'failed and successful attempts',
      ok: lost === 0,
      handovers: pairs,
      answered: seen.ok,
      refused: seen.refused,
      lost,
    };
  } finally {
    clients.stop();
    await chain.close();
  }
}
