import { readConfig } from '../config.js';
import { keep } from '../custodian/keep.js';
import { Agent } from '../handover/agent.js';
import { NO_WORKLOAD } from '../handover/workload.js';
import { statusPath } from '../status/path.js';
import { StatusServer } from '../status/server.js';
import { settingsFrom } from '../takeover/settings.js';

/** Keeps duplicates of the owner's listeners until SIGTERM. */
export async function custodianCommand(): Promise<number> {
  const config = readConfig();
  const agent = new Agent(settingsFrom({ version: config.version || 'custodian' }, config, {}), NO_WORKLOAD);
  const status = new StatusServer(statusPath(agent.directory.path, config.slot), agent.board);
  const stopped = new AbortController();
  // Without handlers pid 1 would ignore both signals.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.abort());
  agent.board.set('idle', 'waiting-for-owner', 'nobody owns listeners yet');
  await status.start();
  await keep(agent, { stopped: stopped.signal });
  agent.release();
  status.close();
  return 0;
}
