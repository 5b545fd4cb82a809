/**
 * Posts one review again and again over kept-alive TLS connections and prints one line of JSON. A process of its own, so that its
 * work is not counted as the server's: `node load-client.js REVIEW EXPECTATION URL CLIENTS WARM_REQUESTS MEASURE_MS PID`.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { AnswerCheck, type Expectation } from './expected-answer.js';

/** What the client measured; `cpuMs` is the CPU time that the process PID took for all requests. */
export interface LoadResult {
  requests: number;
  /** Answers that were not the right one, and requests without an answer; those of the warm-up count too. */
  wrong: number;
  seconds: number;
  p50: number;
  p99: number;
  cpuMs: number;
  rssMiB: number;
}

/** One clock tick of /proc/PID/stat, which is 100 per second on every Linux that Node runs on. */
const TICK_MS = 10;
/** As long as an API server waits for a webhook at most. */
const ANSWER_MS = 30_000;
/** A busy machine is not worth more. */
const LONGEST_WARM_UP_MS = 6_000;

const cpuMs = (pid: string): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

const rssMiB = (pid: string): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);

class Client {
  readonly latencies: number[] = [];
  wrong = 0;
  readonly #body: Buffer;
  readonly #check: AnswerCheck;
  readonly #url: string;
  readonly #agent: Agent;

  constructor(reviewFile: string, expectationFile: string, url: string, connections: number) {
    this.#body = readFileSync(reviewFile);
    this.#check = new AnswerCheck(JSON.parse(readFileSync(expectationFile, 'utf8')) as Expectation);
    this.#url = url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  }

  /** On every connection one request after the other while `goesOn`. */
  async run(connections: number, goesOn: () => boolean): Promise<void> {
    this.latencies.length = 0;
    const loop = async () => {
      while (goesOn()) await this.#timed();
    };
    await Promise.all(Array.from({ length: connections }, loop));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #timed(): Promise<void> {
    const startedAt = performance.now();
    try {
      if (!(await this.#post())) this.wrong += 1;
    } catch {
      this.wrong += 1;
    }
    this.latencies.push(performance.now() - startedAt);
  }

  #post(): Promise<boolean> {
    const headers = { 'content-type': 'application/json', 'content-length': this.#body.length };
    const options = { method: 'POST', agent: this.#agent, headers, timeout: ANSWER_MS };
    return new Promise((resolve, reject) => {
      const outgoing = request(this.#url, options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => resolve(incoming.statusCode === 200 && this.#check.isRight(Buffer.concat(chunks))));
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.once('error', reject);
      outgoing.end(this.#body);
    });
  }
}

const [review = '', expectation = '', url = '', clients = '', warm = '', measureMs = '', pid = ''] =
  process.argv.slice(2);
const client = new Client(review, expectation, url, Number(clients));
const warmUntil = performance.now() + LONGEST_WARM_UP_MS;
let warmed = 0;
await client.run(Number(clients), () => warmed++ < Number(warm) && performance.now() < warmUntil);
const [cpuBefore, startedAt] = [cpuMs(pid), performance.now()];
await client.run(Number(clients), () => performance.now() - startedAt < Number(measureMs));
const latencies = [...client.latencies].sort((a, b) => a - b);
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
const result: LoadResult = {
  requests: latencies.length,
  wrong: client.wrong,
  seconds: (performance.now() - startedAt) / 1000,
  p50: at(0.5),
  p99: at(0.99),
  cpuMs: cpuMs(pid) - cpuBefore,
  rssMiB: rssMiB(pid),
};
client.close();
process.stdout.write(JSON.stringify(result));
