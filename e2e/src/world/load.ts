import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { LoadReport as GeneratorReport, LoadSample } from '@sidestep/testkit';
import type { LoadRow } from '../demo/view.js';
import type { Death } from '../platform/kubelet-log.js';
import { Service, until } from '../platform/service.js';

export interface LoadOptions {
  root: string;
  stateDir: string;
  targets: readonly string[];
  rate: number;
}

/** The generator's report, in which `lost` leaves out what died inside a process that ended by itself. */
export interface LoadReport extends GeneratorReport {
  p99Ms: number;
}

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

/** Traffic from a process of its own. */
export class Load {
  private sample = EMPTY;
  private final: GeneratorReport | undefined;
  private readonly service: Service;

  private readonly targets: readonly string[];

  private constructor(service: Service, targets: readonly string[]) {
    this.service = service;
    this.targets = targets;
  }

  static async start(options: LoadOptions): Promise<Load> {
    const logs = path.join(options.stateDir, 'logs');
    mkdirSync(logs, { recursive: true });
    const service = new Service(
      {
        name: `load-${Date.now()}`,
        file: path.join(options.root, 'packages/testkit/dist/load/main.js'),
        args: ['--targets', options.targets.join(','), '--rate', String(options.rate)],
      },
      logs,
    );
    const load = new Load(service, options.targets);
    service.start((line) => load.take(line));
    await until(
      () => (load.sample.served > 0 ? true : undefined),
      `the first answered request (log: ${service.logFile})`,
    );
    return load;
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
        if (target) this.service.stdin?.write(`${JSON.stringify({ killed: target, atMs })}\n`);
      }
      this.service.stdin?.write('{"stop":true}\n');
      this.final = await until(() => this.final, 'the report of the load generator', 20_000);
      await this.service.stop();
    }
    const { lost, killedInFlight, latencyMs } = this.final;
    return { ...this.final, lost: lost - killedInFlight, p99Ms: latencyMs.p99 };
  }

  private take(line: string): void {
    if (!line.startsWith('{')) return;
    const message = JSON.parse(line) as LoadSample | GeneratorReport;
    if (message.type === 'sample') this.sample = message;
    else this.final = message;
  }
}
