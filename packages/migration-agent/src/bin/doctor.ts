import { parseArgs } from 'node:util';
import { adapterNamed } from '../adapters/registry.js';
import { environment, readConfig } from '../config.js';
import { examine } from '../doctor/examine.js';
import { type Examined, firstProcess, runArguments } from '../doctor/examined.js';
import { asText, worstFirst } from '../doctor/finding.js';
import { listenerPlansOf } from '../takeover/listener-spec.js';

/** Looks at the container from the inside. 0: nothing is wrong (there may be warnings), 1: something is. */
export async function doctorCommand(args: string[]): Promise<number> {
  const dashes = args.indexOf('--');
  const { values } = parseArgs({
    args: dashes < 0 ? args : args.slice(0, dashes),
    options: { ...RUN_OPTIONS, output: { type: 'string', short: 'o', default: 'text' }, grace: { type: 'string' } },
  });
  if (values.output !== 'text' && values.output !== 'json') {
    throw new TypeError(`-o is "${values.output}"; allowed are text and json`);
  }
  const graceSeconds = values.grace === undefined ? undefined : Number(values.grace);
  if (graceSeconds !== undefined && !(graceSeconds >= 0)) {
    throw new TypeError(`--grace is "${values.grace}"; allowed are seconds`);
  }
  const findings = worstFirst(
    await examine(examinedFrom(values, dashes < 0 ? [] : args.slice(dashes + 1), graceSeconds)),
  );
  process.stdout.write(values.output === 'json' ? `${JSON.stringify({ findings }, undefined, 2)}\n` : asText(findings));
  return findings.some(({ level }) => level === 'error') ? 1 : 0;
}

const RUN_OPTIONS = {
  adapter: { type: 'string' },
  listen: { type: 'string', multiple: true },
  ready: { type: 'string' },
} as const;

interface RunValues {
  adapter?: string | undefined;
  listen?: string[] | undefined;
  ready?: string | undefined;
}

/** Without a CMD of its own it is about what this container runs. */
function examinedFrom(values: RunValues, command: string[], graceSeconds: number | undefined): Examined {
  const config = readConfig();
  const running = command.length > 0 ? undefined : runArguments(firstProcess());
  const dashes = running?.indexOf('--') ?? -1;
  const theirs: RunValues =
    running && dashes >= 0 ? parseArgs({ args: running.slice(0, dashes), options: RUN_OPTIONS }).values : {};
  const listen = [...config.listen, ...(values.listen ?? theirs.listen ?? [])];
  return {
    config,
    adapter: adapterNamed(values.adapter ?? theirs.adapter ?? config.adapter).name,
    readySign: values.ready ?? theirs.ready ?? config.ready,
    listeners: listenerPlansOf(listen),
    command: running && dashes >= 0 ? running.slice(dashes + 1) : command,
    graceSeconds,
    env: environment(),
  };
}
