import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { findCaddy, findEnvoys, findProxy, leaveOut } from '@sidestep/testkit';
import type { BenchContext, Row } from '../bench.js';
import { Clients, lostOf } from './clients.js';
import { benchFolder } from './compiled.js';
import { ProxyPod } from './proxy-pod.js';
import {
  caddySubject,
  envoySubject,
  goSubject,
  type HowItIsRun,
  haproxySubject,
  nginxSubject,
  type ProxySubject,
} from './proxy-subject.js';

const SLOTS = 24;

interface ProxyPlan {
  name: string;
  subject: ProxySubject;
  how: HowItIsRun;
  mode: 'short' | 'keep';
  upgrades: number;
  /** It loses by the design of the proxy, or of the restart; only shown. */
  mayLose: boolean;
}

/** Real proxies, with their adapters and without; each that this machine does not have is left out. */
export async function runRealProxies(context: BenchContext, program: string, upgrades: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const subject of await subjectsHere(context)) {
    for (const plan of plansOf(subject, upgrades)) rows.push(await runPlan(context, program, plan));
  }
  return rows;
}

async function subjectsHere(context: BenchContext): Promise<ProxySubject[]> {
  const found: ProxySubject[] = [];
  const look = async (what: string, find: () => Promise<ProxySubject>): Promise<void> => {
    try {
      found.push(await find());
    } catch (error) {
      const why = (error as Error).message;
      leaveOut(`hand-overs of real ${what}`, why);
      context.say(`${what} is left out: ${why}`);
    }
  };
  await look('Envoy', async () => envoySubject(await findEnvoys({ download: false })));
  await look('nginx', async () => nginxSubject(await findProxy('nginx', { download: false })));
  await look('HAProxy', async () => haproxySubject(await findProxy('haproxy', { download: false })));
  await look('Caddy', async () => caddySubject(await findCaddy({ download: false }), context.root));
  await look('Go', async () => goSubject(buildGoExample(context.root)));
  return found;
}

/** Compiles the example; Go keeps what it compiled, so this is quick the second time. @throws Error when there is no Go. */
function buildGoExample(root: string): string {
  const program = path.join(benchFolder(), 'socket-activation-go');
  // A checkout of another user is no repository to git, and Go would refuse to stamp it.
  execFileSync('go', ['build', '-buildvcs=false', '-o', program, '.'], {
    cwd: path.join(root, 'examples/socket-activation/go'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return program;
}

function plansOf(subject: ProxySubject, upgrades: number): ProxyPlan[] {
  const { name, keepsConnections, dropsNewConnections = false } = subject;
  const alone = { subject, how: 'cold', upgrades: Math.min(upgrades, 5), mayLose: true } as const;
  const adapter = { subject, how: 'adapter', upgrades } as const;
  return [
    { ...adapter, name: `${name}, short`, mode: 'short', mayLose: dropsNewConnections },
    { ...adapter, name: `${name}, kept POST`, mode: 'keep', mayLose: !keepsConnections },
    { ...alone, name: `${name} without agent, short`, mode: 'short' },
    { ...alone, name: `${name} without agent, kept POST`, mode: 'keep' },
  ];
}

async function runPlan(context: BenchContext, program: string, plan: ProxyPlan): Promise<Row> {
  context.say(`${plan.name}: ${plan.upgrades} upgrades`);
  const pod = await ProxyPod.create(context.root, plan.subject, plan.how);
  let clients: Clients | undefined;
  try {
    await pod.upgrade();
    clients = new Clients(program, { port: pod.port, slots: SLOTS, mode: plan.mode, pauseUs: 2_000 });
    await clients.answered(SLOTS * 20);
    const steady = await clients.beginFigures();
    const oneMB = pod.memoryMB();
    let overlapMB = 0;
    const times: number[] = [];
    for (let i = 0; i < plan.upgrades; i++) {
      const startedAt = performance.now();
      await pod.upgrade();
      times.push(performance.now() - startedAt);
      overlapMB = Math.max(overlapMB, pod.memoryMB());
      await clients.answered(SLOTS * 5);
      await pod.oldOnesEnded();
    }
    const seen = await clients.report();
    const lost = lostOf(seen);
    return {
      name: plan.name,
      ok: plan.mayLose || (lost === 0 && seen.versions > plan.upgrades),
      handovers: plan.upgrades,
      answered: seen.ok,
      lost,
      refused: seen.refused,
      reset: seen.reset,
      timeouts: seen.timeouts,
      connections: seen.connections,
      startToServingP50Ms: Math.round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0),
      longestGapMs: seen.longestGapMs,
      p99Ms: seen.p99Ms,
      steadyP99Ms: steady.p99Ms,
      oneMB,
      overlapMB,
    };
  } finally {
    clients?.stop();
    await pod.close();
  }
}
