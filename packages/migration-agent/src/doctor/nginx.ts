import { spawnSync } from 'node:child_process';
import type { ListenerPlan } from '../native/listener.js';
import type { Examined } from './examined.js';
import { error, type Finding, ok, warning } from './finding.js';

const CHECK = 'nginx-config';
const DUMP_MS = 10_000;
/** From here on nginx can wait for the next request of a kept-alive connection instead of closing it. */
const KEEPS_ALIVE = [1, 27, 4];

/** Holds the configuration, as nginx itself reads it with all its includes, against `--listen`. */
export function nginxFindings({ command, listeners, readySign }: Examined): Finding[] {
  const [program = '', ...args] = command;
  const where = command.join(' ');
  const dump = spawnSync(program, [...args, '-T'], { encoding: 'utf8', timeout: DUMP_MS, maxBuffer: 64 << 20 });
  if (dump.status !== 0) {
    const said = (dump.stderr ?? '').trim().split('\n').slice(-2).join(' / ') || String(dump.error ?? 'no answer');
    return [error(CHECK, where, `nginx refuses its configuration: ${said}`, 'Correct the configuration.')];
  }
  const version = /nginx\/([\d.]+)/.exec(spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[1] ?? '';
  return [
    ...nginxConfigFindings(dump.stdout, listeners, readySign, where),
    ...keepAliveFindings(version, dump.stdout, where),
  ];
}

/** The rules, on the text of a whole configuration. */
export function nginxConfigFindings(
  text: string,
  listeners: readonly ListenerPlan[],
  readySign: string | undefined,
  where: string,
): Finding[] {
  const plain = text.replace(/(^|\s)#.*$/gm, '$1');
  const listens = [...plain.matchAll(/(?<=^|[;{}\s])listen\s+([^;]+);/g)].map(([, words = '']) =>
    words.trim().split(/\s+/),
  );
  const asked = new Set(
    listens.filter(([address]) => !address?.startsWith('unix:')).map(([address = '']) => normal(address)),
  );
  const given = new Map(listeners.map((plan) => [textOf(plan), plan.name]));
  const findings: Finding[] = [];
  for (const [address, name] of given) {
    if (asked.has(address)) continue;
    findings.push(
      error(CHECK, `--listen ${name}`, `nginx has no "listen ${address}"`, 'Write the same address in both places.'),
    );
  }
  for (const address of asked) {
    if (given.has(address)) continue;
    const advice = `Add --listen NAME=${address}: without it both versions bind the address, and the upgrade fails.`;
    findings.push(error(CHECK, where, `"listen ${address}" has no --listen`, advice));
  }
  if (listens.some((words) => words.includes('reuseport'))) {
    const advice =
      'Remove it: nginx would open further sockets that nobody hands over, and what waits in them is reset.';
    findings.push(error(CHECK, where, '"reuseport" on a listen', advice));
  }
  if (/(?:^|[;{}\s])master_process\s+off\s*;/.test(plain)) {
    findings.push(error(CHECK, where, '"master_process off"', 'Remove it: the agent waits for worker processes.'));
  }
  const unix = readySign?.startsWith('unix:') ? readySign : undefined;
  if (unix !== undefined && !listens.some(([address]) => address === unix)) {
    findings.push(
      error(CHECK, `--ready ${unix}`, `nginx has no "listen ${unix}"`, `Add a server with "listen ${unix};".`),
    );
  }
  return findings.length > 0 ? findings : [ok(CHECK, where, `${asked.size} addresses, each with its --listen`)];
}

function keepAliveFindings(version: string, text: string, where: string): Finding[] {
  if (isOlder(version)) {
    const advice =
      'From 1.27.4 on `keepalive_min_timeout` prevents it. Clients that repeat safe requests do not notice.';
    const what = `nginx ${version} closes idle keep-alive connections at once when it leaves; a request on its way is lost`;
    return [warning('nginx-keep-alive', where, what, advice)];
  }
  if (/\bkeepalive_min_timeout\b/.test(text)) return [ok('nginx-keep-alive', where, 'keepalive_min_timeout is set')];
  const advice = 'Set `keepalive_min_timeout 10s;` in the http block: idle connections then end at their next answer.';
  return [warning('nginx-keep-alive', where, 'keepalive_min_timeout is not set', advice)];
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of KEEPS_ALIVE.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** As nginx understands an address of `listen`. */
function normal(address: string): string {
  if (/^\d+$/.test(address)) return `0.0.0.0:${address}`;
  const whole = /:\d+$/.test(address) && !address.endsWith(']') ? address : `${address}:80`;
  return whole.replace(/^\*:/, '0.0.0.0:').replace(/^localhost:/, '127.0.0.1:');
}

function textOf({ kind, host, port, path }: ListenerPlan): string {
  if (kind === 'unix') return `unix:${path}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
