import { once } from 'node:events';
import type { Adapter, RunningProgram, StartTools } from './adapter.js';
import { followLines, READ_OUTPUT } from './log-lines.js';

/** MOSN numbers the stages of its life and prints each change. */
const RUNNING = 6;
const UPGRADING = 13;
/** A MOSN whose successor came too far sleeps 3 s before it stops accepting; one whose successor failed says so at once. */
const DECIDED_WITHIN_MS = 15_000;

/**
 * MOSN's own smooth upgrade: the new MOSN finds the old one's `reconfig.sock` in `uds_dir`, which both containers must share, and
 * fetches listeners and connections from it. Starting it is the trigger, and it decides by itself when the old one leaves: about 37
 * seconds later, whatever the load.
 *
 * Ready: its own line `state changed to 6`; MOSN's admin port is shared and the pid is 1 in both containers. The agent holds no
 * duplicates, so a new MOSN that dies after the old one stopped costs an outage; to keep it short the old one is then ended and started
 * again. Its log must go to standard output.
 */
export const mosn: Adapter = {
  name: 'mosn',
  sharing: 'own',
  holdsAddressesToItsEnd: true,
  summary: "MOSN's own smooth upgrade: both containers share its uds_dir, and its log goes to standard output",
  check: ({ listeners }) => {
    if (listeners.length > 0) throw new TypeError('MOSN opens and hands over its sockets by itself; remove --listen');
  },
  async start(tools: StartTools): Promise<RunningProgram> {
    const child = tools.spawn(tools.command, { stdio: [...READ_OUTPUT] });
    const stage = new Stage();
    followLines(child, (line) => stage.look(line));
    await stage.leaves((now) => now !== RUNNING, tools.gone);
    if (tools.gone.aborted) throw new Error('"state changed to 6" was not printed');
    return {
      child,
      // It is told by the new MOSN; SIGTERM would end it at once.
      retire: (why) => void (why === 'terminating' && child.kill('SIGTERM')),
      stillServes: async () => {
        // AbortSignal.any and .timeout would do, but Node 20 collects their signals as garbage while somebody still listens.
        const decided = new AbortController();
        const timer = setTimeout(() => decided.abort(), DECIDED_WITHIN_MS);
        child.once('exit', () => decided.abort());
        if (child.exitCode === null && child.signalCode === null)
          await stage.leaves((now) => now === UPGRADING, decided.signal);
        clearTimeout(timer);
        return stage.now === RUNNING;
      },
      close: () => undefined,
    };
  },
};

/** The stage that MOSN last said it is in, from the first in which it serves. */
class Stage extends EventTarget {
  now = 0;

  look(line: string): void {
    const changed = /\bstate changed to (\d+)/.exec(line);
    // Its start is logged by another logger than its life: "1" and "2" may come out after the "6" that followed them.
    if (!changed || Number(changed[1]) < RUNNING) return;
    this.now = Number(changed[1]);
    this.dispatchEvent(new Event('change'));
  }

  /** Resolves when the stage is none of these, or at the signal. */
  async leaves(these: (now: number) => boolean, signal: AbortSignal): Promise<void> {
    while (these(this.now) && !signal.aborted) await once(this, 'change', { signal }).catch(() => undefined);
  }
}
