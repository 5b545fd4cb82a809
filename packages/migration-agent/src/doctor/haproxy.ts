import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Examined } from './examined.js';
import { error, type Finding, ok, warning } from './finding.js';

const CHECK = 'haproxy-config';
const FIRST_FD = 3;

/** Holds the configuration files against `--listen`. */
export function haproxyFindings({ command, listeners }: Examined): Finding[] {
  const files = configurationFiles(command);
  const where = files.join(', ') || command.join(' ');
  if (files.length === 0) return [error(CHECK, where, 'no configuration file', 'Give one with -f.')];
  try {
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const names = listeners.map(({ name }) => name);
    return haproxyConfigFindings(text, names, where);
  } catch (problem) {
    return [error(CHECK, where, String((problem as Error).message), 'Give the file that HAProxy reads.')];
  }
}

/** The rules, on the text of a whole configuration. `names`: those of `--listen`, in their order. */
export function haproxyConfigFindings(text: string, names: readonly string[], where: string): Finding[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|[^\\])#.*$/, '$1').trim());
  const binds = lines.flatMap((line) => /^bind\s+(\S+)/.exec(line)?.[1]?.replaceAll('"', '').split(',') ?? []);
  const findings: Finding[] = [];
  for (const [index, name] of names.entries()) {
    const variable = `SIDESTEP_FD_${name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}`;
    const ways = [`fd@${FIRST_FD + index}`, `fd@$${variable}`, `fd@\${${variable}}`];
    if (binds.some((bind) => ways.includes(bind))) continue;
    const advice = `Write \`bind ${ways[0]}\`, or \`bind "${ways[1]}"\`.`;
    findings.push(error(CHECK, `--listen ${name}`, 'no bind takes its descriptor', advice));
  }
  for (const bind of binds.filter((address) => !/^(fd|unix|sockpair|abns)@|^\//.test(address))) {
    const advice =
      'Name it with --listen and bind its descriptor: an address of its own is opened by both versions, and what waits in the old one is reset.';
    findings.push(error(CHECK, where, `"bind ${bind}"`, advice));
  }
  if (lines.some((line) => /^daemon\b/.test(line))) {
    findings.push(warning(CHECK, where, '"daemon" has no effect under the agent', 'Remove it.'));
  }
  if (!lines.some((line) => /^hard-stop-after\b/.test(line))) {
    const advice = 'Nothing to do if that suits you; else set hard-stop-after in the global section.';
    findings.push(
      warning(CHECK, where, 'no "hard-stop-after": the agent cuts what outlives SIDESTEP_DRAIN_SECONDS', advice),
    );
  }
  return findings.some(({ level }) => level === 'error')
    ? findings
    : [...findings, ok(CHECK, where, `${names.length} listeners, each with its bind`)];
}

/** Every -f of a command line, and the files of a folder among them. */
function configurationFiles([, ...args]: readonly string[]): string[] {
  const dashes = args.indexOf('--');
  const named = args.flatMap((word, index) =>
    word === '-f' && args[index + 1] !== undefined ? [args[index + 1]!] : [],
  );
  const listed = dashes < 0 ? [] : args.slice(dashes + 1);
  return [...named, ...listed].flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
    const inside = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
    return inside.sort().map((name) => join(path, name));
  });
}
