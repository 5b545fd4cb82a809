import type { Bench, BenchContext, Row } from './bench.js';
import { type ChainPlan, runChain } from './handover/chains.js';
import { buildClients, lostOf } from './handover/clients.js';
import { runAlternation, runDeaths } from './handover/deaths.js';
import { runFootprint } from './handover/footprint.js';
import { runIdle } from './handover/idle.js';
import { runRealProxies } from './handover/real-proxies.js';
import { runUdp } from './handover/udp.js';

/** At most this share of kept connections may have been opened again. */
const RECONNECT_SHARE = 0.01;

function plans(handovers: number, kept: number, baseline: number): ChainPlan[] {
  const shown = () => true;
  return [
    {
      name: 'short connections',
      strategy: 'takeover',
      handovers,
      mode: 'short',
      isRight: (seen) => lostOf(seen) === 0,
    },
    {
      name: 'kept connections, POST',
      strategy: 'takeover',
      handovers: Math.max(5, Math.round(handovers / 10)),
      mode: 'keep',
      slots: kept,
      pauseUs: 20_000,
      isRight: (seen) => lostOf(seen) === 0 && seen.connections <= kept * (1 + RECONNECT_SHARE),
    },
    { name: 'short, OpenKruise order', strategy: 'openkruise', handovers: baseline, mode: 'short', isRight: shown },
    {
      name: 'kept POST, OpenKruise order',
      strategy: 'openkruise',
      handovers: baseline,
      mode: 'keep',
      pauseUs: 5_000,
      isRight: shown,
    },
    { name: 'short, SO_REUSEPORT', strategy: 'reuseport', handovers: baseline, mode: 'short', isRight: shown },
    { name: 'short, cold restart', strategy: 'cold', handovers: baseline, mode: 'short', isRight: shown },
  ];
}

function count(args: string[], flag: string, fallback: number): number {
  return args.includes(flag) ? Number(args[args.indexOf(flag) + 1]) : fallback;
}

export const bench: Bench = {
  name: 'handover',
  description:
    'hand-overs, deaths at every arrow, moved connections; beside OpenKruise order, SO_REUSEPORT and cold restart; real Envoy, nginx and HAProxy with and without their adapters; --handovers N (default 1000, quick 10), --kept N, --idle N, --proxy-upgrades N (20, quick 3)',
  async run(context: BenchContext): Promise<Row[]> {
    const { quick, args } = context;
    const program = buildClients(context.root);
    const handovers = count(args, '--handovers', quick ? 10 : 1_000);
    const kept = count(args, '--kept', quick ? 100 : 1_000);
    const rows: Row[] = [];
    for (const plan of plans(handovers, kept, quick ? 3 : 20)) rows.push(await runChain(context, program, plan));
    rows.push(await runIdle(context, count(args, '--idle', quick ? 1_000 : 10_000)));
    rows.push(await runUdp(context, quick ? 5_000 : 100_000, quick ? 5 : 15));
    rows.push(...(await runRealProxies(context, program, count(args, '--proxy-upgrades', quick ? 3 : 20))));
    rows.push(...(await runDeaths(context, program)));
    rows.push(await runAlternation(context, program, quick ? 4 : 50));
    rows.push(await runFootprint(context));
    return rows;
  },
};
