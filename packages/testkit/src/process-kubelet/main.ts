/** Process entry: a kubelet that runs containers as processes. `--help` tells the flags. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { HttpKubeApi, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { parseCatalogue } from './image-catalogue.js';
import { startProcessKubelet } from './kubelet.js';
import type { ProcessKubeletOptions } from './options.js';

const HELP = `Usage: process-kubelet --kubeconfig FILE --node NAME --images catalogue.json --state-dir DIR
  --status-lag real|none     how late the status is (default real: up to a second)
  --backoff real|none|SCALE  crash-loop back-off; SCALE multiplies every time of it (default real)
  --starts-at-once N         so many containers start at once, each until its postStart hook has returned (default any number)
  --pod-network 127.N        the /16 that pods get addresses from (default: a free one)
  --bin NAME=FILE            a program put first on every container's PATH; may be repeated
  --schedule                 also binds pods that have no node
  --no-events                writes no Kubernetes Events
  --log stdout|none          JSON lines of what happens (default stdout)
The first line on stdout is {"ready":true,"node":...,"controlSocket":...,"pid":...}.
`;

function readFlags() {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      node: { type: 'string' },
      images: { type: 'string' },
      'state-dir': { type: 'string' },
      'status-lag': { type: 'string', default: 'real' },
      backoff: { type: 'string', default: 'real' },
      'starts-at-once': { type: 'string' },
      'pod-network': { type: 'string' },
      bin: { type: 'string', multiple: true, default: [] },
      schedule: { type: 'boolean', default: false },
      'no-events': { type: 'boolean', default: false },
      log: { type: 'string', default: 'stdout' },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function needed(value: string | undefined, flag: string): string {
  if (value === undefined) throw new TypeError(`--${flag} is missing`);
  return value;
}

function oneOf<T extends string>(value: string, allowed: readonly T[], flag: string): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw new TypeError(`--${flag} ${value}: allowed are ${allowed.join(', ')}`);
}

function backOff(value: string): 'real' | 'none' | number {
  const scale = Number(value);
  return scale > 0 && Number.isFinite(scale) ? scale : oneOf(value, ['real', 'none'] as const, 'backoff');
}

function count(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new TypeError(`--starts-at-once ${value}: wanted a whole number above 0`);
}

function programs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new TypeError(`--bin ${pair}: wanted NAME=FILE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(HELP);
    return;
  }
  const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const quiet = oneOf(flags.log, ['stdout', 'none'], 'log') === 'none';
  const limiter = new RateLimiter({ qps: 2_000, burst: 4_000 });
  const connection = loadKubeConfig({ kubeconfig: needed(flags.kubeconfig, 'kubeconfig') });
  const waiting: object[] = [];
  let isReady = false;
  const options: ProcessKubeletOptions = {
    api: new HttpKubeApi({ connection, limiter, userAgent: 'process-kubelet' }),
    node: needed(flags.node, 'node'),
    images: parseCatalogue(readFileSync(needed(flags.images, 'images'), 'utf8')),
    stateDir: needed(flags['state-dir'], 'state-dir'),
    statusLag: oneOf(flags['status-lag'], ['real', 'none'], 'status-lag'),
    backOff: backOff(flags.backoff),
    schedule: flags.schedule,
    events: !flags['no-events'],
    programs: programs(flags.bin),
    ...(flags['starts-at-once'] === undefined ? {} : { startsAtOnce: count(flags['starts-at-once']) }),
    ...(flags['pod-network'] === undefined ? {} : { podNetwork: flags['pod-network'] }),
    // The announcement is the first line, whatever happens before it.
    ...(quiet ? {} : { onLog: (line: object) => (isReady ? print(line) : waiting.push(line)) }),
  };
  const kubelet = await startProcessKubelet(options);
  print({ ready: true, node: kubelet.node, controlSocket: kubelet.controlSocket, pid: process.pid });
  isReady = true;
  for (const line of waiting.splice(0)) print(line);
  const stop = () => void kubelet.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`process-kubelet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
