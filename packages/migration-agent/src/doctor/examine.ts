import type { Examined } from './examined.js';
import type { Finding } from './finding.js';
import { haproxyFindings } from './haproxy.js';
import { mosnFindings } from './mosn.js';
import { nginxFindings } from './nginx.js';
import { agentFindings, directoryFindings } from './private-directory.js';
import {
  graceFindings,
  kernelFindings,
  programFindings,
  sharedMemoryFindings,
  usageFindings,
  versionFindings,
} from './surroundings.js';

const BY_ADAPTER: Record<string, (examined: Examined) => Finding[]> = {
  nginx: nginxFindings,
  haproxy: haproxyFindings,
  mosn: mosnFindings,
};

/** Everything that can be known from inside the container. Changes nothing. */
export async function examine(examined: Examined): Promise<Finding[]> {
  const program = programFindings(examined);
  // A configuration is only asked for where there is a program to read it.
  const canAsk = examined.command.length > 0 && program.every(({ level }) => level === 'ok');
  return [
    ...versionFindings(examined),
    ...directoryFindings(examined),
    ...(await agentFindings(examined)),
    ...kernelFindings(),
    ...sharedMemoryFindings(examined),
    ...program,
    ...usageFindings(examined),
    ...(canAsk ? (BY_ADAPTER[examined.adapter]?.(examined) ?? []) : []),
    ...graceFindings(examined),
  ];
}
