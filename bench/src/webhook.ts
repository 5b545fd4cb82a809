import type { Bench, BenchContext, Row } from './bench.js';
import { KRUISE, KRUISE_BY_OWNER } from './webhook/kruise.js';
import type { LoadResult } from './webhook/load-client.js';
import { loadPlainServer, Stage } from './webhook/stage.js';

const CLIENTS = [1, 8, 32];
const OWNERS: [string, string][] = [
  ['none', 'pod-noowner'],
  ['DaemonSet', 'pod-daemonset'],
  ['Job', 'pod-job'],
  ['DaemonSet, no match', 'pod-daemonset-nomatch'],
];

/** Figures as a row; right is only what counts: every answer was one, and something was answered. */
function rowOf(
  name: string,
  { bad, requests, rps, p50, p99, serverCpuMs, rssMB }: LoadResult,
  plainCpuMs: number,
): Row {
  return {
    name,
    ok: bad === 0 && requests > 0,
    rps,
    p50,
    p99,
    cpuMs: serverCpuMs,
    timesPlain: serverCpuMs / plainCpuMs,
    rssMB,
  };
}

async function bySidecarSets(
  stage: Stage,
  counts: number[],
  seconds: number,
  plain: Map<number, number>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of counts) {
    await stage.haveSidecarSets(count);
    for (const clients of CLIENTS) {
      const row = rowOf(
        `${count} sets, ${clients} clients`,
        await stage.load('pod', clients, seconds),
        plain.get(clients) as number,
      );
      const kruise = KRUISE[`${count}/${clients}`];
      rows.push({
        ...row,
        kruiseRps: kruise?.rps ?? '',
        kruiseP99: kruise?.p99 ?? '',
        kruiseCpuMs: kruise?.cpuMs ?? '',
      });
    }
  }
  return rows;
}

async function byOwner(stage: Stage, seconds: number, plainCpuMs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [owner, review] of OWNERS) {
    const row = rowOf(`owner: ${owner}, 8 clients`, await stage.load(review, 8, seconds), plainCpuMs);
    rows.push({ ...row, kruiseRps: KRUISE_BY_OWNER[owner]?.rps ?? '' });
  }
  return rows;
}

export const bench: Bench = {
  name: 'webhook',
  description:
    'pod admission over TLS: requests per second, latency, CPU per request, beside a server that only parses, and OpenKruise as measured elsewhere; --seconds N per row',
  async run({ quick, root, args, say }: BenchContext): Promise<Row[]> {
    const seconds = args.includes('--seconds') ? Number(args[args.indexOf('--seconds') + 1]) : quick ? 1 : 5;
    const plain = new Map<number, number>();
    const rows: Row[] = [];
    for (const clients of CLIENTS) {
      const result = await loadPlainServer(root, 'pod', 4_000, clients, seconds);
      plain.set(clients, result.serverCpuMs);
      rows.push(rowOf(`plain server, ${clients} clients`, result, result.serverCpuMs));
    }
    const stage = await Stage.start(root);
    try {
      say('by number of SidecarSets, one of which selects the pod');
      rows.push(...(await bySidecarSets(stage, quick ? [1, 100] : [1, 10, 100, 1_000], seconds, plain)));
      say('by owner of the pod');
      rows.push(...(await byOwner(stage, seconds, plain.get(8) as number)));
    } finally {
      await stage.stop();
    }
    return rows;
  },
};
