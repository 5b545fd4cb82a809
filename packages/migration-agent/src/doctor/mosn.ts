import { readFileSync } from 'node:fs';
import type { Examined } from './examined.js';
import { error, type Finding, ok, warning } from './finding.js';

const CHECK = 'mosn-config';
/** A MOSN that was succeeded leaves after 37 seconds, whatever the load. */
const LEAVES_AFTER_SECONDS = 40;

/** Whether two MOSNs would find each other and the new one would run its own configuration. */
export function mosnFindings({ command, config }: Examined): Finding[] {
  const file = command[command.findIndex((word) => word === '-c' || word === '--config') + 1] ?? '';
  try {
    return mosnConfigFindings(readFileSync(file, 'utf8'), file, config.directory, config.drainMs);
  } catch (problem) {
    return [
      error(
        CHECK,
        file || command.join(' '),
        String((problem as Error).message),
        'Give the configuration with -c, as JSON.',
      ),
    ];
  }
}

/** The rules, on the text of a configuration. */
export function mosnConfigFindings(
  text: string,
  where: string,
  directory: string,
  drainMs: number | undefined,
): Finding[] {
  const given = JSON.parse(text) as { uds_dir?: string; inherit_old_mosnconfig?: boolean };
  const findings: Finding[] = [];
  if (given.uds_dir === undefined || !`${given.uds_dir}/`.startsWith(`${directory}/`)) {
    const advice = `Set "uds_dir": "${directory}", which both containers share.`;
    findings.push(
      error(CHECK, where, `uds_dir is ${given.uds_dir ?? 'not set'}: the new MOSN would not find the old one`, advice),
    );
  }
  if (given.inherit_old_mosnconfig === true) {
    const advice = 'Set it to false: with true the new version runs the configuration of the old one.';
    findings.push(warning(CHECK, where, '"inherit_old_mosnconfig" is true', advice));
  }
  if (drainMs === undefined || drainMs < LEAVES_AFTER_SECONDS * 1000) {
    const advice = `Set SIDESTEP_DRAIN_SECONDS to ${LEAVES_AFTER_SECONDS}, and the grace period of the pod 2 s above it.`;
    findings.push(
      warning(
        CHECK,
        'SIDESTEP_DRAIN_SECONDS',
        'a MOSN that was succeeded leaves after 37 s, and is cut before',
        advice,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(CHECK, where, 'both containers share its uds_dir')];
}
