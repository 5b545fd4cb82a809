import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeScratch } from '@sidestep/testkit';
import type { Bench, BenchContext, Row } from './bench.js';
import { allowFlags, numbersFlag, WrongArguments } from './flags/flags.js';
import { KRUISE, KRUISE_BY_REVIEW, type KruiseFigures } from './webhook/kruise.js';
import type { LoadResult } from './webhook/load-client.js';
import { measure, together } from './webhook/measure.js';
import { type PreparedReview, prepareReview } from './webhook/reviews.js';
import { type Server, startBaseline, WebhookServer } from './webhook/servers.js';

/** Requests that a server answers before it is measured at all: less, and the compiler is what is measured. */
const WARM_SERVER = 4_000;
const WARM_CONNECTIONS = 64;
/** Clients of the rows by owner, as OpenKruise was measured. */
const OWNER_CLIENTS = 8;
/** Of a pod without an owner, so that it does not matter which owners another webhook's API server knows. */
const BESIDE_REVIEW = 'pod-noowner';
const REVIEWS = ['pod', ...Object.keys(KRUISE_BY_REVIEW)];

interface Plan {
  sets: readonly number[];
  clients: readonly number[];
  seconds: number;
  /** Another webhook that is running already. */
  beside: Omit<Server, 'stop'> | undefined;
}

/** Each row is measured with the baseline directly before it: a machine that others use is not the same a minute later. */
class Comparison {
  readonly rows: Row[] = [];
  readonly #baseline = new Map<number, LoadResult[]>();

  constructor(
    private readonly root: string,
    private readonly reviews: Map<string, PreparedReview>,
    private readonly servers: { baseline: Server; webhook: WebhookServer },
    private readonly seconds: number,
  ) {}

  async warm(): Promise<void> {
    const load = { review: this.#review('pod'), clients: OWNER_CLIENTS, warm: WARM_SERVER, seconds: 0.1 };
    for (const server of Object.values(this.servers)) await measure(this.root, server, load);
  }

  async row(name: string, review: string, clients: number, kruise: KruiseFigures | undefined): Promise<void> {
    const load = { clients, warm: WARM_CONNECTIONS, seconds: this.seconds };
    const { baseline, webhook } = this.servers;
    const beside = await measure(this.root, baseline, {
      ...load,
      review: this.#review('pod'),
      seconds: load.seconds / 2,
    });
    this.#baseline.set(clients, [...(this.#baseline.get(clients) ?? []), beside]);
    const result = await measure(this.root, webhook, { ...load, review: this.#review(review) });
    this.rows.push({
      ...figures(name, result),
      xBaseline: cpuPerRequest(result) / cpuPerRequest(beside),
      kruiseRps: kruise?.rps ?? '',
      kruiseP99: kruise?.p99 ?? '',
      kruiseCpuMs: kruise?.cpuMs ?? '',
      xKruiseCpu: kruise?.cpuMs ? cpuPerRequest(result) / kruise.cpuMs : '',
      xKruiseRps: kruise ? result.requests / result.seconds / kruise.rps : '',
    });
  }

  /** The other webhook and ours directly after it. */
  async beside(other: Omit<Server, 'stop'>, clients: number): Promise<void> {
    const review = this.#review(BESIDE_REVIEW);
    const load = { clients, warm: WARM_CONNECTIONS, seconds: this.seconds };
    const theirs = await measure(this.root, other, { ...load, review: { ...review, expectation: review.anyPatch } });
    const ours = await measure(this.root, this.servers.webhook, { ...load, review });
    this.rows.push(
      { ...figures(`the other webhook, ${clients} clients`, theirs), xOther: 1 },
      {
        ...figures(`beside it, ${clients} clients`, ours),
        xOther: cpuPerRequest(ours) / cpuPerRequest(theirs),
        xOtherP99: ours.p99 / theirs.p99,
      },
    );
  }

  baselineRows(): Row[] {
    return [...this.#baseline].map(([clients, results]) => ({
      ...figures(`baseline, ${clients} clients`, together(results)),
      xBaseline: 1,
    }));
  }

  #review(name: string): PreparedReview {
    return this.reviews.get(name) as PreparedReview;
  }
}

const cpuPerRequest = ({ cpuMs, requests }: LoadResult): number => cpuMs / Math.max(1, requests);

/** A row is right when each of its answers was, and there were some; no timing makes it wrong. */
function figures(name: string, result: LoadResult): Row {
  const { requests, wrong, seconds, p50, p99, rssMiB } = result;
  const cpuMs = cpuPerRequest(result);
  return {
    name,
    ok: wrong === 0 && requests > 0,
    requests,
    wrong,
    rps: Math.round(requests / seconds),
    p50,
    p99,
    cpuMs,
    rssMiB,
  };
}

async function compare(
  root: string,
  folder: string,
  { sets, clients, seconds, beside }: Plan,
  say: BenchContext['say'],
) {
  const reviews = new Map(REVIEWS.map((name) => [name, prepareReview(root, folder, name)]));
  const baseline = await startBaseline(root, folder, (reviews.get('pod') as PreparedReview).patch);
  const webhook = await WebhookServer.start(root, folder);
  try {
    const comparison = new Comparison(root, reviews, { baseline, webhook }, seconds);
    for (const [index, count] of sets.entries()) {
      say(`${count} SidecarSets, of which one selects the pod`);
      await webhook.haveSidecarSets(count);
      if (index === 0) await comparison.warm();
      for (const number of clients) {
        await comparison.row(`${count} sets, ${number} clients`, 'pod', number, KRUISE[`${count}/${number}`]);
      }
    }
    if (beside !== undefined) {
      say(`beside ${beside.url}`);
      for (const number of clients) await comparison.beside(beside, number);
    }
    say('by owner of the pod, with as many SidecarSets');
    for (const [review, kruise] of Object.entries(KRUISE_BY_REVIEW)) {
      await comparison.row(`${review}, ${OWNER_CLIENTS} clients`, review, OWNER_CLIENTS, kruise);
    }
    return [...comparison.baselineRows(), ...comparison.rows];
  } finally {
    await webhook.stop();
    await baseline.stop();
  }
}

function besideFlag(args: readonly string[]): Plan['beside'] {
  const at = args.indexOf('--beside');
  if (at < 0) return undefined;
  const [pid] = numbersFlag(args, '--beside-pid', []);
  if (pid === undefined)
    throw new WrongArguments('--beside wants the process too, whose CPU time counts: --beside-pid PID');
  const url = args[at + 1] ?? '';
  if (!URL.canParse(url)) throw new WrongArguments('--beside wants a URL, such as https://127.0.0.1:9876/mutate-pod');
  return { url, pid };
}

export const bench: Bench = {
  name: 'webhook',
  description:
    'pod admission over TLS: throughput, latency, CPU and memory beside a Nest route that only parses, and beside OpenKruise as it was measured once; --sets 1,10,100,1000 --clients 1,8,32 --seconds N per row, --beside URL --beside-pid PID another webhook that runs here and selects the pod',
  async run({ quick, root, args, say }: BenchContext): Promise<Row[]> {
    allowFlags(args, ['--sets', '--clients', '--seconds', '--beside', '--beside-pid']);
    const plan: Plan = {
      beside: besideFlag(args),
      sets: [...numbersFlag(args, '--sets', quick ? [1, 1_000] : [1, 10, 100, 1_000])].sort((a, b) => a - b),
      clients: numbersFlag(args, '--clients', [1, 8, 32]),
      seconds: numbersFlag(args, '--seconds', [quick ? 1 : 5])[0] as number,
    };
    const folder = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
    try {
      return await compare(root, folder, plan, say);
    } finally {
      await removeScratch(folder);
    }
  },
};
