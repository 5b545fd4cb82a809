import { readConfig } from '../config.js';
import { RehearsalDirectory } from '../handover/rehearsal-directory.js';
import { ownDirectory } from '../status/own-directory.js';
import type { Takeover } from './api.js';
import { takeoverWith } from './takeover.js';

/** What is played, with the program's own servers and requests like those of its clients. */
export interface Rehearsal {
  /** Serves the listener `rehearsal`, as the program will serve its own. Called twice: for the old end and for the new one. */
  serve(end: Takeover): void;
  /** Sends requests to `127.0.0.1:port`; called before and after the hand-over. */
  visit?(port: number): Promise<void>;
  /** The private directory, as in `TakeoverOptions`. */
  directory?: string;
}

const LISTENER = 'rehearsal';

/**
 * Plays a whole hand-over between two ends within this process, on a port of loopback that nobody knows. A program that was just
 * started compiles its code while it answers its first peer and its first clients; after a rehearsal it has done so before
 * anybody waits for it. Call it before `takeover`, while the old process still serves.
 *
 * Resolves with false, and leaves nothing behind, when the play failed: that is no reason not to start. What it left because the
 * process was killed is removed when the next one starts, in either container.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<boolean> {
  const config = readConfig();
  const ends: Takeover[] = [];
  let directory: RehearsalDirectory | undefined;
  try {
    directory = new RehearsalDirectory(ownDirectory(rehearsal.directory ?? config.directory));
    for (let turn = 0; turn < 2; turn++) {
      const end = await takeoverWith(
        {
          listeners: { [LISTENER]: '127.0.0.1:0' },
          handleSigterm: false,
          log: false,
          afterDrain: 'end',
          limits: { guardMs: 0, drainMs: 200 },
        },
        { config: { ...config, directory: directory.path, slot: String(turn), hint: undefined } },
      );
      ends.push(end);
      rehearsal.serve(end);
      await end.ready();
      const address = end.address(LISTENER);
      if (address.kind === 'tcp') await rehearsal.visit?.(address.port);
    }
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all(ends.map((end) => end.stop(0)));
    directory?.remove();
  }
}
