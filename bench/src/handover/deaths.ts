import type { BenchContext, Row } from '../bench.js';
import { type Clients, LONG_PATIENCE_MS, lostOf } from './clients.js';
import { Chain, type Generation, leakedBeyond } from './generations.js';

const SLOTS = 32;
/** Nobody waits for its end here, and a machine that stands still must not use it up before the death that it is for. */
const GUARD_MS = 60_000;

/** On the heap after garbage was collected, over all failed attempts beside one process. */
const MOST_GROWTH_MB = 1;

const PATIENCE_WITH_STOPPED_MS = 3_000;

interface Death {
  name: string;
  side: 'old' | 'new';
  /** The arrow of the protocol, or `serving`: both have settled, the new one answers requests and the old one could still go back. */
  point: string;
  signal: 'SIGKILL' | 'SIGSTOP';
  /** Requests that may be lost: those inside the process that died, at most one of each client. */
  mayLose: number;
  /** The old one held the only copy of the socket. */
  mayRefuse?: boolean;
}

const at =
  (side: Death['side'], signal: Death['signal'], more: Pick<Death, 'mayLose' | 'mayRefuse'>) =>
  (point: string): Death => {
    const who = side === 'new' ? 'taker' : 'giver';
    return {
      name: `${side} ${signal === 'SIGKILL' ? 'killed' : 'stopped'}, ${point}`,
      side,
      signal,
      point: `${who}:${point}`,
      ...more,
    };
  };

const COMMITTED = 'got:COMMITTED';
const SERVES = 'serving';

/** What the new side has said or heard before it accepts its first connection. */
const BEFORE_ACCEPT = [
  'send:HELLO',
  'got:CHALLENGE',
  'send:AUTH',
  'got:OFFER',
  'send:ACK',
  'got:STATE',
  'send:PREPARED',
  'got:GO',
];
const NO_SOCKET_CAME = ['got:HELLO', 'send:CHALLENGE', 'got:AUTH'];
const SOCKET_CAME = ['got:ACK', 'send:STATE', 'got:PREPARED', 'send:GO', 'got:SERVING', 'send:COMMITTED'];

/** The table "Who wins on death" of docs/reference/takeover-protocol.md. */
const DEATHS: Death[] = [
  ...BEFORE_ACCEPT.map(at('new', 'SIGKILL', { mayLose: 0 })),
  ...['send:SERVING', COMMITTED, SERVES].map(at('new', 'SIGKILL', { mayLose: SLOTS })),
  ...[COMMITTED, SERVES].map(at('new', 'SIGSTOP', { mayLose: SLOTS })),
  ...NO_SOCKET_CAME.map(at('old', 'SIGKILL', { mayLose: Number.POSITIVE_INFINITY, mayRefuse: true })),
  ...[...SOCKET_CAME, SERVES].map(at('old', 'SIGKILL', { mayLose: SLOTS })),
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
  const limits = { guardMs: GUARD_MS };
  // What a stopped process has accepted is never answered, and its clients must not wait for it too long.
  const patienceMs = death.signal === 'SIGKILL' ? LONG_PATIENCE_MS : PATIENCE_WITH_STOPPED_MS;
  try {
    const old = chain.start(1, { limits, ...(death.side === 'old' ? { interrupt } : {}) });
    await old.hears('owner');
    const clients = chain.startClients(program, { slots: SLOTS, mode: 'short', patienceMs });
    await clients.answered(SLOTS * 5);
    const whileServing = death.point.endsWith(SERVES);
    const options = death.side === 'new' ? { interrupt } : {};
    const until = death.side === 'new' && !whileServing ? 'interrupted' : 'owner';
    const { next, failed } = await chain.takeOver(2, options, until);
    if (whileServing) await killServing(death, clients, { old, next });
    const after = await clients.answered(SLOTS * 10);
    const resumes = death.side === 'new' && (death.point.endsWith(COMMITTED) || death.point.endsWith(SERVES));
    if (resumes) await old.hears('resume');
    const seen = await clients.report();
    const longestGapMs = Math.max(after.longestGapMs, seen.longestGapMs);
    const lost = lostOf(seen);
    return {
      name: death.name,
      ok: (death.mayRefuse || seen.refused === 0) && lost <= death.mayLose,
      failedAttempts: failed,
      answered: seen.ok,
      refused: seen.refused,
      lost,
      longestGapMs,
    };
  } finally {
    await chain.close();
  }
}

/** While the guard lasts, and after requests that only the new one can have answered. */
async function killServing(death: Death, clients: Clients, { old, next }: { old: Generation; next: Generation }) {
  await clients.answered(SLOTS * 2);
  const dying = death.side === 'new' ? next : old;
  dying.child.kill(death.signal);
}

/**
 * Failed and successful attempts in alternation; then as many failed ones beside one and the same process, which must leave nothing
 * behind.
 */
export async function runAlternation(context: BenchContext, program: string, pairs: number): Promise<Row> {
  context.say(`${pairs} failed and ${pairs} successful attempts in alternation, then ${pairs} failed ones`);
  const chain = await Chain.create(context.root, 'takeover');
  const fail = (i: number): Promise<void> => {
    const point = `taker:${BEFORE_ACCEPT[i % BEFORE_ACCEPT.length]}`;
    return chain.start(2 * i + 1, { interrupt: { point, signal: 'SIGKILL' } }).exited;
  };
  try {
    let current = chain.start(0);
    await current.hears('owner');
    const clients = chain.startClients(program, { slots: SLOTS, mode: 'short', patienceMs: LONG_PATIENCE_MS });
    let failedAttempts = 0;
    for (let i = 0; i < pairs; i++) {
      await fail(i);
      const { next, failed } = await chain.takeOver(2 * i + 2);
      current = next;
      failedAttempts += failed;
    }
    await clients.answered(SLOTS);
    const seen = await clients.report();
    clients.stop();
    await fail(0);
    const before = { descriptors: current.openDescriptors, usedMB: await current.usedMB() };
    for (let i = 0; i < pairs; i++) await fail(i);
    const grownMB = (await current.usedMB()) - before.usedMB;
    const leaked = await leakedBeyond(before.descriptors, current);
    const lost = lostOf(seen);
    return {
      name: 'failed and successful attempts',
      ok: lost === 0 && leaked === 0 && grownMB <= MOST_GROWTH_MB,
      handovers: pairs,
      failedAttempts,
      answered: seen.ok,
      refused: seen.refused,
      lost,
      leaked,
      grownMB,
    };
  } finally {
    await chain.close();
  }
}
