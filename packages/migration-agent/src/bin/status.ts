import { parseArgs } from 'node:util';
import { readConfig } from '../config.js';
import { followStatus } from '../status/client.js';
import { ownDirectory } from '../status/own-directory.js';
import { statusPath } from '../status/path.js';

/** Prints the status of this container's agent, or of another one that shares the directory. */
export async function statusCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { slot: { type: 'string' }, compact: { type: 'boolean' } } });
  const config = readConfig();
  const path = statusPath(ownDirectory(config.directory), values.slot ?? config.slot);
  const { status } = await followStatus(path, () => true, 2_000);
  if (!status) {
    process.stderr.write(`sidestep-agent status: no agent answers on ${path}\n`);
    return 1;
  }
  process.stdout.write(`${JSON.stringify(status, null, values.compact ? 0 : 2)}\n`);
  return 0;
}
