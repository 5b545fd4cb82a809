import type { FSWatcher } from 'node:fs';
import { takerContext } from '../handover/acquire.js';
import type { Agent } from '../handover/agent.js';
import { type TakerHost, TakerSession } from '../handover/taker-session.js';
import { addon, closeAll, SystemCallError } from '../native/addon.js';
import { watchDirectory } from '../status/directory-watch.js';

/** Why keeping ended: told to stop, or nobody has owned the listeners for as long as the caller wanted to wait. */
export type KeepEnd = 'stopped' | 'no-owner';

export interface KeepOptions {
  /** Ends when there has been no owner for this long; undefined waits for ever. */
  standbyMs?: number;
  stopped: AbortSignal;
}

type Watch = 'absent' | 'gone' | 'busy';

const PAUSE_MS = 100;
/** For who wants to serve after a while, or is told of no change. */
const LOOK_MS = 250;

/**
 * Keeps duplicates of the owner's listeners without ever accepting on them.
 *
 * When the owner ends without a successor this process answers on the take-over socket in its place: clients wait in the backlog
 * instead of being refused, and the restarted owner fetches the same sockets back. Nothing runs while nothing happens.
 */
export async function keep(agent: Agent, options: KeepOptions): Promise<KeepEnd> {
  const changes = new DirectoryChanges(agent.directory.path);
  let ownerSeen = performance.now();
  try {
    while (!options.stopped.aborted) {
      const seen = await watchOwner(agent, options.stopped);
      if (seen === 'gone') ownerSeen = performance.now();
      if (seen === 'busy') await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      // Only when nobody answers: an owner that lives keeps its name, whatever became of the conversation with it.
      if (seen !== 'absent' || options.stopped.aborted) continue;
      if (agent.owned.size > 0) {
        if ((await standIn(agent, options)) === 'standby-over') return 'no-owner';
        continue;
      }
      if (options.standbyMs !== undefined && performance.now() - ownerSeen >= options.standbyMs) return 'no-owner';
      if (agent.board.role !== 'idle') agent.board.set('idle', 'waiting-for-owner', 'nobody owns listeners yet');
      await changes.next(options.stopped, options.standbyMs);
    }
    return 'stopped';
  } finally {
    changes.close();
  }
}

/** Resolves when the owner is gone, or at once when there is none. */
function watchOwner(agent: Agent, stopped: AbortSignal): Promise<Watch> {
  return new Promise((resolve, reject) => {
    let session: TakerSession | undefined;
    const onStop = (): void => {
      session?.close();
      resolve('gone');
    };
    stopped.addEventListener('abort', onStop, { once: true });
    const finish = (watched: Watch): void => {
      stopped.removeEventListener('abort', onStop);
      resolve(watched);
    };
    try {
      session = new TakerSession(
        agent.directory.takeoverPath,
        takerContext(agent, [], 'custodian'),
        keeperHost(agent, finish, () => session!),
      );
    } catch (error) {
      const errno = error instanceof SystemCallError ? error.errno : '';
      if (errno === 'ENOENT' || errno === 'ECONNREFUSED') finish('absent');
      else if (errno === 'EAGAIN') finish('busy');
      else reject(error);
    }
  });
}

function keeperHost(agent: Agent, finish: (watched: Watch) => void, session: () => TakerSession): TakerHost {
  const nothing = (): void => undefined;
  return {
    accepts: () => true,
    imported: nothing,
    attach: async () => undefined,
    detach: nothing,
    own: nothing,
    kept: ({ listeners }) => {
      closeAll([...agent.owned.values()].map(({ fd }) => fd));
      agent.owned.clear();
      for (const listener of listeners) agent.owned.set(listener.record.name, listener);
      agent.board.generation = session().generation;
      agent.board.set('idle', 'keeping', `keeps ${listeners.length} listeners of the owner`);
    },
    holderGone: () => finish('gone'),
    adopt: (_record, fd) => {
      addon().close(fd);
      return false;
    },
    counters: nothing,
    retry: () => finish('busy'),
    fail: (reason, message) => {
      agent.settings.log('custodian-refused', { reason, message });
      finish('busy');
    },
    closed: nothing,
    interrupt: agent.interrupt,
  };
}

/** Answers for the owner until a successor has settled, the standby time is over, or this process must end. */
function standIn(agent: Agent, options: KeepOptions): Promise<'settled' | 'standby-over'> {
  agent.answer('idle');
  agent.own('idle', 'holding', `the owner is gone; its ${agent.owned.size} listeners wait here`);
  return new Promise((resolve) => {
    const finish = (outcome: 'settled' | 'standby-over'): void => {
      clearTimeout(timer);
      options.stopped.removeEventListener('abort', settled);
      agent.off('finished', settled);
      resolve(outcome);
    };
    const settled = (): void => finish('settled');
    const timer =
      options.standbyMs === undefined
        ? undefined
        : setInterval(() => {
            if (!agent.succeeding) finish('standby-over');
          }, options.standbyMs);
    options.stopped.addEventListener('abort', settled, { once: true });
    agent.once('finished', settled);
  });
}

/** Changes in a directory, without polling where the kernel tells of them. A change between two waits is not lost. */
class DirectoryChanges {
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#watcher = watchDirectory(path, () => {
      this.#changed = true;
      this.#wake?.();
    });
  }

  async next(stopped: AbortSignal, atMostMs: number | undefined): Promise<void> {
    if (!this.#changed && !stopped.aborted) await this.#change(stopped, atMostMs);
    this.#changed = false;
  }

  #change(stopped: AbortSignal, atMostMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        stopped.removeEventListener('abort', wake);
        resolve();
      };
      const sleeps = atMostMs === undefined && this.#watcher !== undefined;
      const timer = sleeps ? undefined : setTimeout(wake, Math.min(atMostMs ?? LOOK_MS, LOOK_MS));
      stopped.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}
