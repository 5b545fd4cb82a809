/** The load generator as its own process: samples and the final report are JSON lines on stdout, commands JSON lines on stdin. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { LoadGenerator } from './generator.js';

const HELP = `load --targets host:port[,host:port...] | --targets '["host:port", ...]'
  --rate RPS            over all targets together (1000)
  --ramp-ms MS          time over which the rate rises evenly to RPS (0)
  --keepalive N         kept-alive connections per target (8)
  --short-share S       share of requests on a connection of their own, 0 to 1 (0.3)
  --h2-share S          share of requests over HTTP/2 with prior knowledge (0)
  --h2-sessions N       HTTP/2 sessions per target (2)
  --post-share S        share of POSTs, whose echo is compared (0.5)
  --post-bytes N        bytes of a POST's body (256)
  --timeout-ms MS       a request without an answer for this long is lost (5000)
  --most-in-flight N    per target; what falls due beyond it is not sent, 0 for no limit (0)
  --sample-ms MS        time between two samples, 0 for none (200)
  --duration-ms MS      0: until it is told to stop (0)
  --losses              prints a line for each lost request at once

Sends GET / and POST /echo. Prints {"type":"sample",...}, {"type":"loss",...} with --losses, {"type":"removed",...} once nothing is
in flight at a removed target, and last {"type":"report",...}.
Takes on stdin {"add":"host:port"} {"remove":"host:port"} {"rate":N} {"killed":"host:port","atMs":UNIX_MS} {"sample":true} {"mark":true} {"stop":true}.
SIGTERM, SIGINT and the end of stdin stop it as well.`;

function readFlags() {
  const number = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    options: {
      targets: { type: 'string', default: '' },
      rate: number('1000'),
      'ramp-ms': number('0'),
      keepalive: number('8'),
      'short-share': number('0.3'),
      'h2-share': number('0'),
      'h2-sessions': number('2'),
      'post-share': number('0.5'),
      'post-bytes': number('256'),
      'timeout-ms': number('5000'),
      'most-in-flight': number('0'),
      'sample-ms': number('200'),
      'duration-ms': number('0'),
      losses: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function asNumber(text: string, flag: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= max) return value;
  throw new TypeError(`--${flag} ${text}: a number from 0 to ${max} is allowed`);
}

function targetList(text: string): string[] {
  const list: unknown = text.trim().startsWith('[')
    ? JSON.parse(text)
    : text.split(',').filter((target) => target !== '');
  if (Array.isArray(list) && list.every((each) => typeof each === 'string' && /:\d+$/.test(each))) return list;
  throw new TypeError('--targets: wanted host:port,host:port or a JSON list of them');
}

const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

function obey(line: string, load: LoadGenerator, stop: () => void): void {
  const command = JSON.parse(line) as Record<string, unknown>;
  const { add, remove, rate, killed, atMs } = command;
  if (typeof add === 'string') load.add(add);
  else if (typeof remove === 'string') void load.remove(remove).then(() => print({ type: 'removed', target: remove }));
  else if (typeof rate === 'number' && rate > 0) load.setRate(rate);
  else if (typeof killed === 'string' && typeof atMs === 'number') load.markKilled(killed, atMs);
  else if (command.sample) print(load.sample());
  else if (command.mark) load.mark();
  else if (command.stop) stop();
  else throw new TypeError(`unknown command ${line.slice(0, 200)}`);
}

function main(): void {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const load = new LoadGenerator({
    targets: targetList(flags.targets),
    rate: asNumber(flags.rate, 'rate') || 1,
    rampMs: asNumber(flags['ramp-ms'], 'ramp-ms'),
    keepalive: asNumber(flags.keepalive, 'keepalive'),
    shortShare: asNumber(flags['short-share'], 'short-share', 1),
    h2Share: asNumber(flags['h2-share'], 'h2-share', 1),
    h2Sessions: asNumber(flags['h2-sessions'], 'h2-sessions'),
    postShare: asNumber(flags['post-share'], 'post-share', 1),
    postBytes: asNumber(flags['post-bytes'], 'post-bytes'),
    timeoutMs: asNumber(flags['timeout-ms'], 'timeout-ms'),
    mostInFlight: asNumber(flags['most-in-flight'], 'most-in-flight') || Number.POSITIVE_INFINITY,
    ...(flags.losses ? { onLoss: (loss) => print({ type: 'loss', ...loss }) } : {}),
  }).start();
  const sampleMs = asNumber(flags['sample-ms'], 'sample-ms');
  const samples = sampleMs > 0 ? setInterval(() => print(load.sample()), sampleMs) : undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    clearInterval(samples);
    void load.stop().then((report) => process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0)));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  const durationMs = asNumber(flags['duration-ms'], 'duration-ms');
  if (durationMs > 0) setTimeout(stop, durationMs);
  listen(load, stop);
}

function listen(load: LoadGenerator, stop: () => void): void {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    try {
      obey(line, load, stop);
    } catch (error) {
      process.stderr.write(`load: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  });
  // Whoever started it is gone: nobody reads the report, and traffic without an owner must end.
  input.on('close', stop);
}

try {
  main();
} catch (error) {
  process.stderr.write(`load: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
