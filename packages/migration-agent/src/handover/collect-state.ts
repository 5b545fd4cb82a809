import type { Message } from '../protocol/messages.js';
import type { AgentSettings } from './agent-settings.js';
import { stateDescriptor } from './app-state.js';

/** The program's counters: absolute at first (STATE), increments after it (STATS). */
export class CounterFeed {
  readonly #read: (() => Record<string, number>) | undefined;
  #last: Record<string, number> = {};

  constructor(read: (() => Record<string, number>) | undefined) {
    this.#read = read;
  }

  get active(): boolean {
    return this.#read !== undefined;
  }

  absolute(): Record<string, number> {
    this.#last = { ...this.#read?.() };
    return this.#last;
  }

  increments(): Record<string, number> {
    const before = this.#last;
    const now = this.absolute();
    const changed = Object.entries(now).filter(([name, value]) => value !== (before[name] ?? 0));
    return Object.fromEntries(changed.map(([name, value]) => [name, value - (before[name] ?? 0)]));
  }
}

/**
 * The STATE message. State that cannot be had in time is left out: the sockets are what counts.
 */
export async function collectState(
  settings: AgentSettings,
  ticketKeys: Record<string, string>,
  counters: Record<string, number>,
): Promise<{ message: Message & { type: 'STATE' }; fds: number[] }> {
  const bytes = await savedState(settings);
  const message = { type: 'STATE' as const, ticketKeys, counters, appBytes: bytes?.length ?? 0 };
  return { message, fds: bytes ? [stateDescriptor(bytes)] : [] };
}

async function savedState(settings: AgentSettings): Promise<Uint8Array | undefined> {
  if (!settings.saveState) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), settings.limits.stateMs);
  });
  try {
    return await Promise.race([Promise.resolve(settings.saveState()), late]);
  } catch (error) {
    settings.log('state-not-saved', { error: String(error) });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
