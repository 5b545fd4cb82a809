import type { Bench, BenchContext, Row } from './bench.js';
import { WrongArguments } from './flags/flags.js';
import { type ChainPlan, runChain } from './handover/chains.js';
import { buildClients, lostOf } from './handover/clients.js';
import { runCrashes } from './handover/crashes.js';
import { runAlternation, runDeaths } from './handover/deaths.js';
import { runFootprint } from './handover/footprint.js';
import { runFuzz } from './handover/fuzz.js';
import { runIdle } from './handover/idle.js';
import { runRealProxies } from './handover/real-proxies.js';
import { runUdp } from './handover/udp.js';

/** At most this share of kept connections may have been opened again. */
const RECONNECT_SHARE = 0.01;

/** A start, and the move of a thousand connections, take their part of two cores. */
const KEPT_SHARE = 1 / 3;

const ORDER_SLOTS = 64;

const shown = (): boolean => true;

const short = (handovers: number): ChainPlan => ({
  name: 'short connections',
  strategy: 'takeover',
  handovers,
  mode: 'short',
  isRight: (seen) => lostOf(seen) === 0,
});

/** A program that does next to nothing for a connection leaves the machine to connections, and to the start of the next one. */
const program = (handovers: number): ChainPlan => ({
  name: 'short, agent beside a program',
  strategy: 'program',
  handovers,
  mode: 'short',
  processes: 2,
  isRight: (seen) => lostOf(seen) === 0,
});

const kept = (handovers: number, slots: number): ChainPlan => ({
  name: 'kept connections, POST',
  strategy: 'takeover',
  handovers,
  mode: 'keep',
  slots,
  pauseUs: 20_000,
  isRight: (seen) => lostOf(seen) === 0 && seen.connections <= slots * (1 + RECONNECT_SHARE),
});

/** Ours and other orders under the same load: those lose by design, and are only shown. */
const orders = (handovers: number): ChainPlan[] => [
  { ...short(handovers), name: 'short, Sidestep' },
  { ...kept(handovers, ORDER_SLOTS), name: 'kept POST, Sidestep', pauseUs: 5_000 },
  { name: 'short, OpenKruise order', strategy: 'openkruise', handovers, mode: 'short', isRight: shown },
  {
    name: 'kept POST, OpenKruise order',
    strategy: 'openkruise',
    handovers,
    mode: 'keep',
    slots: ORDER_SLOTS,
    pauseUs: 5_000,
    isRight: shown,
  },
  { name: 'short, SO_REUSEPORT', strategy: 'reuseport', handovers, mode: 'short', isRight: shown },
  { name: 'short, cold restart', strategy: 'cold', handovers, mode: 'short', isRight: shown },
];

function count(args: string[], flag: string, fallback: number): number {
  return args.includes(flag) ? Number(args[args.indexOf(flag) + 1]) : fallback;
}

const handovers = ({ args, quick }: BenchContext): number => count(args, '--handovers', quick ? 10 : 1_000);

/** What is measured, in this order; `--only` picks. */
const PARTS: Record<string, (context: BenchContext, program: string) => Promise<Row[]>> = {
  short: async (context, clients) => [await runChain(context, clients, short(handovers(context)))],
  program: async (context, clients) => [await runChain(context, clients, program(handovers(context)))],
  async kept(context, program) {
    const plan = kept(
      Math.max(5, Math.round(handovers(context) / 10)),
      count(context.args, '--kept', context.quick ? 100 : 1_000),
    );
    return [await runChain(context, program, { ...plan, share: KEPT_SHARE })];
  },
  async orders(context, program) {
    const rows: Row[] = [];
    for (const plan of orders(context.quick ? 3 : 20)) rows.push(await runChain(context, program, plan));
    return rows;
  },
  idle: async (context) => [await runIdle(context, count(context.args, '--idle', context.quick ? 1_000 : 10_000))],
  udp: async (context) => [await runUdp(context, context.quick ? 5_000 : 100_000, context.quick ? 5 : 15)],
  proxies: (context, program) =>
    runRealProxies(context, program, count(context.args, '--proxy-upgrades', context.quick ? 3 : 20)),
  deaths: runDeaths,
  crashes: (context, clients) => runCrashes(context, clients, context.quick ? 2 : 8),
  attempts: async (context, program) => [await runAlternation(context, program, context.quick ? 4 : 50)],
  fuzz: async (context, program) => [
    await runFuzz(context, program, count(context.args, '--frames', context.quick ? 20_000 : 1_000_000)),
  ],
  footprint: runFootprint,
};

export const bench: Bench = {
  name: 'handover',
  description: `hand-overs, deaths at every arrow, moved connections, fuzzed frames; beside OpenKruise order, SO_REUSEPORT and cold restart; real Envoy, nginx, HAProxy, Caddy and a Go program with and without their adapters; --only ${Object.keys(PARTS).join(',')}; --handovers N (default 1000, quick 10), --kept N, --idle N, --frames N, --proxy-upgrades N (20, quick 3)`,
  async run(context: BenchContext): Promise<Row[]> {
    const { args } = context;
    const program = buildClients(context.root);
    const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '').split(',') : Object.keys(PARTS);
    const unknown = only.filter((part) => !Object.hasOwn(PARTS, part));
    if (unknown.length > 0)
      throw new WrongArguments(`--only: there is no "${unknown.join(', ')}" in ${Object.keys(PARTS)}`);
    const rows: Row[] = [];
    for (const part of only) rows.push(...(await PARTS[part]!(context, program)));
    return rows;
  },
};
