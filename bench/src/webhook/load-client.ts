/**
 * Posts one review again and again over kept-alive TLS connections and prints one line of JSON. A process of its own, so that its
 * work is not counted as the webhook's: `node load-client.js FILE URL CLIENTS WARM_MS MEASURE_MS PID`.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

/** What the client measured; `serverCpuMs` is the CPU time of the process PID per request. */
export interface LoadResult {
  requests: number;
  bad: number;
  rps: number;
  p50: number;
  p99: number;
  serverCpuMs: number;
  rssMB: number;
  responseBytes: number;
}

/** One clock tick of /proc/PID/stat, which is 100 per second on every Linux that Node runs on. */
const TICK_MS = 10;

const cpuMs = (pid: string): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
};

const rssMB = (pid: string): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const main = async ([file = '', url = '', clients = '1', warmMs = '0', measureMs = '0', pid = '']: string[]) => {
  const body = readFileSync(file);
  const agent = new Agent({ keepAlive: true, maxSockets: Number(clients), rejectUnauthorized: false });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const latencies: number[] = [];
  let bad = 0;
  let responseBytes = 0;
  let phase: 'warm' | 'measure' | 'end' = 'warm';

  const post = () =>
    new Promise<void>((resolve) => {
      const startedAt = performance.now();
      const failed = () => {
        bad += 1;
        setTimeout(resolve, 20);
      };
      const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', failed);
        incoming.once('end', () => {
          const answer = Buffer.concat(chunks);
          responseBytes = answer.length;
          if (incoming.statusCode !== 200 || !answer.includes('"allowed":true')) bad += 1;
          if (phase === 'measure') latencies.push(performance.now() - startedAt);
          resolve();
        });
      });
      outgoing.once('error', failed);
      outgoing.end(body);
    });

  const loops = Array.from({ length: Number(clients) }, async () => {
    while (phase !== 'end') await post();
  });
  await new Promise((resolve) => setTimeout(resolve, Number(warmMs)));
  phase = 'measure';
  const [cpuBefore, startedAt] = [cpuMs(pid), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, Number(measureMs)));
  const [cpu, seconds, rss] = [cpuMs(pid) - cpuBefore, (performance.now() - startedAt) / 1000, rssMB(pid)];
  phase = 'end';
  await Promise.all(loops);
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const requests = latencies.length;
  const result: LoadResult = {
    requests,
    bad,
    rps: Math.round(requests / seconds),
    p50: at(0.5),
    p99: at(0.99),
    serverCpuMs: cpu / Math.max(1, requests),
    rssMB: Math.round(rss),
    responseBytes,
  };
  process.stdout.write(JSON.stringify(result));
};

await main(process.argv.slice(2));
