import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { LoadReport as GeneratorReport, LoadSample } from '@sidestep/testkit';
import type { LoadRow } from '../demo/view.js';
import type { Death } from '../platform/kubelet-log.js';
import { until } from '../platform/service.js';

export interface LoadOptions {
  root: string;
  targets: readonly string[];
  rate: number;
  /** Time over which the rate rises to its full height. */
  rampMs?: number;
  /** Per target; by default the rate is kept whatever the machine makes of it. */
  mostInFlight?: number;
}

/** The generator's report, in which `lost` leaves out what died inside a process that ended by itself. */
export interface LoadReport extends GeneratorReport {
  p99Ms: number;
}

/** Longer than a busy machine can hold an answer up; a server that went silent shows in the longest gap. */
const TIMEOUT_MS = 60_000;

/** Every fifth request comes on a connection of its own. */
const SHORT_SHARE = '0.2';

const EMPTY: LoadSample = {
  type: 'sample',
  rps: 0,
  requests: 0,
  served: 0,
  inFlight: 0,
  lost: 0,
  killedInFlight: 0,
  p50Ms: 0,
  p99Ms: 0,
  recentP99Ms: 0,
  maxMs: 0,
  maxGapMs: 0,
};

/** Traffic from a process of its own, which ends when its stdin does: with this process at the latest. */
export class Load {
  private sample = EMPTY;
  private final: GeneratorReport | undefined;
  private readonly child: ChildProcess;
  private readonly targets: string[];
  private readonly removed = new Set<string>();

  private constructor({ root, targets, rate, rampMs = 0, mostInFlight = 0 }: LoadOptions) {
    this.targets = [...targets];
    const program = path.join(root, 'packages/testkit/dist/load/main.js');
    this.child = spawn(
      process.execPath,
      [
        program,
        ...['--targets', targets.join(','), '--short-share', SHORT_SHARE],
        ...['--rate', String(rate), '--ramp-ms', String(rampMs), '--timeout-ms', String(TIMEOUT_MS)],
        ...['--most-in-flight', String(mostInFlight)],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.take(line));
  }

  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    try {
      await until(() => (load.sample.served > 0 ? true : undefined), 'the first answered request');
    } catch (error) {
      // Nobody else knows of it yet.
      load.child.kill();
      throw error;
    }
    return load;
  }

  /** Sends to this `host:port`, too. */
  add(target: string): void {
    this.targets.push(target);
    this.tell({ add: target });
  }

  /** Sends nothing more to it, as Services do with a pod that is being deleted; resolves when nothing is in flight there any more. */
  async remove(target: string): Promise<void> {
    this.removed.delete(target);
    this.tell({ remove: target });
    await until(() => this.removed.has(target) || undefined, `the requests to ${target} to end`, TIMEOUT_MS + 20_000);
  }

  /** From now on this many requests a second. */
  setRate(rate: number): void {
    this.tell({ rate });
  }

  /** The report's `sinceMark` begins here. */
  mark(): void {
    this.tell({ mark: true });
  }

  /** How many were sent, as of the last fifth of a second. */
  get requests(): number {
    return this.sample.requests;
  }

  /** The numbers of the last fifth of a second. */
  row(): LoadRow {
    const { rps, served, lost, killedInFlight, recentP99Ms, maxGapMs } = this.sample;
    return { rps, served, lost, killedInFlight, p99Ms: recentP99Ms, maxGapMs };
  }

  /** Ends the traffic once every request has its answer; losses inside processes that died are counted apart. */
  async stop(deaths: readonly Death[] = []): Promise<LoadReport> {
    if (!this.final) {
      for (const { ip, atMs } of deaths) {
        const target = this.targets.find((address) => address.startsWith(`${ip}:`));
        if (target) this.tell({ killed: target, atMs });
      }
      this.tell({ stop: true });
      this.final = await until(() => this.final, 'the report of the load generator', TIMEOUT_MS + 20_000);
    }
    const { lost, killedInFlight, latencyMs } = this.final;
    return { ...this.final, lost: lost - killedInFlight, p99Ms: latencyMs.p99 };
  }

  private tell(command: object): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  private take(line: string): void {
    if (!line.startsWith('{')) return;
    const message = JSON.parse(line) as LoadSample | GeneratorReport | { type: 'removed'; target: string };
    if (message.type === 'sample') this.sample = message;
    else if (message.type === 'removed') this.removed.add(message.target);
    else this.final = message;
  }
}
