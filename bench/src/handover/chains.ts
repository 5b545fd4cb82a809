import type { BenchContext, Row } from '../bench.js';
import { type Clients, LONG_PATIENCE_MS, lostOf, type Seen } from './clients.js';
import { Chain, type Generation, leakedBeyond, type Strategy } from './generations.js';

const SLOTS = 64;
const MEASURED = 20;
/** Answers for each client before anything is measured. */
const WARM_UP = 20;
const PROGRESS_EVERY_MS = 10_000;
/** So many old ones may still drain, or be guarding, when the next one begins: where connections are short nothing is left to wait for. */
const LEAVING_AT_ONCE = { short: 2, keep: 0 };

/** A run of hand-overs in a row under load. */
export interface ChainPlan {
  name: string;
  strategy: Strategy;
  handovers: number;
  mode: 'short' | 'keep';
  slots?: number;
  pauseUs?: number;
  /**
   * How much of what the machine carries is asked of it; without it, all. A server that is asked for more than it can do has a queue that
   * grows until clients give up, and what is counted then is the machine.
   */
  share?: number;
  /** Of clients. */
  processes?: number;
  /** What decides `ok`; the baselines lose by design and are only shown. */
  isRight(seen: Seen, migrated: number): boolean;
}

/** How the next generation gets its turn under each strategy that is shown beside ours. */
const SUCCEED: Record<
  Exclude<Strategy, 'takeover' | 'program'>,
  (chain: Chain, old: Generation, version: number) => Promise<Generation>
> = {
  async cold(chain, old, version) {
    old.child.kill('SIGTERM');
    // A plain restart: its own close waits for connections, the port is free before.
    const next = chain.start(version);
    await next.hears('owner');
    return next;
  },
  async reuseport(chain, old, version) {
    const next = chain.start(version);
    await next.hears('owner');
    old.child.kill('SIGTERM');
    return next;
  },
  async openkruise(chain, old, version) {
    const next = chain.start(version);
    await next.hears('owner');
    old.child.kill('SIGTERM');
    return next;
  },
};

export async function runChain(context: BenchContext, program: string, plan: ChainPlan): Promise<Row> {
  context.say(`${plan.name}: ${plan.handovers} hand-overs`);
  const chain = await Chain.create(context.root, plan.strategy);
  try {
    const first = chain.start(0);
    await first.hears('owner');
    const before = { descriptors: first.openDescriptors, files: chain.files };
    const slots = plan.slots ?? SLOTS;
    const { mode, pauseUs = 0, processes = 1 } = plan;
    const patienceMs = LONG_PATIENCE_MS;
    const clients = chain.startClients(program, { slots, mode, pauseUs, patienceMs, processes });
    const startedAt = performance.now();
    await clients.answered(slots * WARM_UP);
    if (plan.share !== undefined) await leaveRoom(clients, slots, plan.share);
    const steady = await clients.beginFigures();
    const oneMB = chain.memoryMB;
    const { last, times, failed, migrated, overlapMB } = await succeed(context, chain, first, clients, plan);
    const during = await clients.report();
    const seconds = (performance.now() - startedAt) / 1000;
    clients.stop();
    const ours = plan.strategy === 'takeover' || plan.strategy === 'program';
    const leaked = ours ? await leakedBeyond(before.descriptors, last) : 0;
    const leftFiles = ours ? chain.files - before.files : 0;
    return {
      ...rowOf(plan, during, steady, times),
      oneMB,
      overlapMB,
      perSecond: Math.round(during.ok / seconds),
      seconds,
      failedAttempts: failed,
      leaked,
      leftFiles,
      ok: plan.isRight(during, migrated) && leaked === 0 && leftFiles <= 0,
    };
  } finally {
    await chain.close();
  }
}

/** Slows clients down to a share of what they get when they ask as often as they can. */
async function leaveRoom(clients: Clients, slots: number, share: number): Promise<void> {
  const startedAt = performance.now();
  const before = await clients.report();
  const after = await clients.answered(slots * WARM_UP);
  const perSecond = ((after.ok - before.ok) / (performance.now() - startedAt)) * 1000;
  await clients.pause((slots / (perSecond * share)) * 1_000_000);
  // What had piled up is answered first.
  await clients.answered(slots);
  await clients.beginFigures();
  await clients.answered(slots);
}

interface Succession {
  last: Generation;
  times: number[];
  failed: number;
  migrated: number;
  /** The most that was in use right after a hand-over, while the old one may still drain. */
  overlapMB: number;
}

async function succeed(
  context: BenchContext,
  chain: Chain,
  first: Generation,
  clients: Clients,
  plan: ChainPlan,
): Promise<Succession> {
  const out: Succession = { last: first, times: [], failed: 0, migrated: 0, overlapMB: 0 };
  const leaving: Generation[] = [];
  const goodbye = async (atMost: number): Promise<void> => {
    while (leaving.length > atMost) out.migrated += (await leaving.shift()!.hears('done')).migrated ?? 0;
  };
  const progress = new Progress(context, plan.handovers);
  for (let version = 1; version <= plan.handovers; version++) {
    // The look at /proc takes milliseconds, of which a thousand hand-overs need not have more.
    const measured = version <= MEASURED;
    const measure = (): void => {
      if (measured) out.overlapMB = Math.max(out.overlapMB, chain.memoryMB);
    };
    if (plan.strategy === 'takeover' || plan.strategy === 'program') {
      leaving.push(out.last);
      const { next, failed } = await chain.takeOver(version);
      out.last = next;
      out.failed += failed;
      out.times.push((await next.hears('owner')).handover?.handoverMs ?? 0);
      measure();
      await goodbye(measured ? 0 : LEAVING_AT_ONCE[plan.mode]);
    } else {
      out.last = await SUCCEED[plan.strategy](chain, out.last, version);
      measure();
    }
    progress.at(version, await clients.answered(plan.slots ?? SLOTS));
  }
  await goodbye(0);
  return out;
}

class Progress {
  readonly #context: BenchContext;
  readonly #of: number;
  readonly #startedAt = performance.now();
  #saidAt = performance.now();

  constructor(context: BenchContext, of: number) {
    this.#context = context;
    this.#of = of;
  }

  at(version: number, seen: Seen): void {
    const now = performance.now();
    if (now - this.#saidAt < PROGRESS_EVERY_MS) return;
    this.#saidAt = now;
    const seconds = Math.round((now - this.#startedAt) / 1000);
    this.#context.say(`  ${version} of ${this.#of} after ${seconds} s: ${seen.ok} answered, ${lostOf(seen)} lost`);
  }
}

function rowOf(plan: ChainPlan, seen: Seen, steady: Seen, times: number[]): Row {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    name: plan.name,
    ok: true,
    handovers: plan.handovers,
    answered: seen.ok,
    lost: lostOf(seen),
    refused: seen.refused,
    reset: seen.reset,
    timeouts: seen.timeouts,
    connections: seen.connections,
    handoverP50Ms: at(0.5),
    handoverP99Ms: at(0.99),
    longestGapMs: seen.longestGapMs,
    p99Ms: seen.p99Ms,
    steadyP99Ms: steady.p99Ms,
  };
}
