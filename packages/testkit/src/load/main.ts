// The load generator as its own process: samples and the final report are JSON lines on stdout, commands are JSON lines on stdin.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { LoadGenerator } from './generator.js';

const USAGE = `load --targets host:port[,host:port...] [--rate RPS] [--keepalive N] [--short-share 0..1] [--post-share 0..1]
     [--timeout-ms MS] [--sample-ms MS] [--duration-ms MS]

Sends GET / and POST /echo at a fixed rate and prints a JSON line every --sample-ms; SIGTERM, SIGINT or {"stop":true} on stdin end
it with a report. {"add":"host:port"} on stdin adds a target.`;

const { values } = parseArgs({
  options: {
    targets: { type: 'string', default: '' },
    rate: { type: 'string', default: '1000' },
    keepalive: { type: 'string', default: '8' },
    'short-share': { type: 'string', default: '0.3' },
    'post-share': { type: 'string', default: '0.5' },
    'timeout-ms': { type: 'string', default: '5000' },
    'sample-ms': { type: 'string', default: '200' },
    'duration-ms': { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const print = (object: unknown): void => {
  process.stdout.write(`${JSON.stringify(object)}\n`);
};

const generator = new LoadGenerator({
  targets: values.targets.split(',').filter((target) => target !== ''),
  rate: Number(values.rate),
  keepalive: Number(values.keepalive),
  shortShare: Number(values['short-share']),
  postShare: Number(values['post-share']),
  timeoutMs: Number(values['timeout-ms']),
}).start();

const samples = setInterval(() => print(generator.sample()), Number(values['sample-ms']));

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  clearInterval(samples);
  print(await generator.stop());
  process.exit(0);
};

process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
if (Number(values['duration-ms']) > 0) setTimeout(() => void stop(), Number(values['duration-ms']));
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line) as { add?: string; stop?: boolean };
    if (command.add) generator.add(command.add);
    if (command.stop) void stop();
  })
  // Whoever started it is gone: nobody reads the report, and traffic without an owner must end.
  .on('close', () => void stop());
