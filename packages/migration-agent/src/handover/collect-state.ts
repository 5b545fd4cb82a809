import { MAX_BODY_BYTES, MAX_STATE_BODY_BYTES } from '../protocol/limits.js';
import type { Message } from '../protocol/messages.js';
import type { AgentSettings } from './agent-settings.js';
import { stateDescriptor } from './app-state.js';

/** Of the 64 KiB of a STATE; half is left for ticket keys. */
const STATE_BYTES = MAX_STATE_BODY_BYTES / 2 - 200;
/** A STATS is a frame like any other. */
const STATS_BYTES = MAX_BODY_BYTES - 200;
const MOST_COUNTERS = 4_096;

/**
 * The program's counters: absolute at first (STATE), increments after it (STATS). What the program gives is not believed: the peer would
 * refuse the frame, and with it the hand-over.
 */
export class CounterFeed {
  readonly #read: (() => Record<string, number>) | undefined;
  readonly #log: AgentSettings['log'];
  /** Without Object's own properties: a counter may be named like one of them. */
  #told: Record<string, number> = Object.create(null);

  constructor({ counters, log }: Pick<AgentSettings, 'counters' | 'log'>) {
    this.#read = counters;
    this.#log = log;
  }

  get active(): boolean {
    return this.#read !== undefined;
  }

  /** As many as fit; the others are told whole with the first increments. */
  absolute(): Record<string, number> {
    this.#told = inFrames(this.#now(), STATE_BYTES)[0] ?? Object.create(null);
    return { ...this.#told };
  }

  /** What has been counted since the last time, in as many frames as it needs; at least one. */
  increments(): Record<string, number>[] {
    const changed = this.#now().flatMap(([name, value]): [string, number][] => {
      const more = value - (this.#told[name] ?? 0);
      this.#told[name] = value;
      return more === 0 ? [] : [[name, more]];
    });
    const frames = inFrames(changed, STATS_BYTES);
    return frames.length > 0 ? frames : [{}];
  }

  #now(): [string, number][] {
    try {
      return Object.entries(this.#read?.() ?? {}).filter(([, value]) => Number.isFinite(value));
    } catch (error) {
      this.#log('counters-not-read', { error: String(error) });
      return [];
    }
  }
}

/** Splits a table into as many as fit a frame each. An entry that fits none is left out. */
function inFrames<T>(entries: readonly (readonly [string, T])[], bytes: number): Record<string, T>[] {
  const frames: Record<string, T>[] = [];
  let room = 0;
  let count = MOST_COUNTERS;
  for (const [name, value] of entries) {
    const size = Buffer.byteLength(JSON.stringify({ [name]: value }));
    if (size > bytes) continue;
    if (size > room || count === MOST_COUNTERS) {
      frames.push(Object.create(null) as Record<string, T>);
      room = bytes;
      count = 0;
    }
    frames[frames.length - 1]![name] = value;
    room -= size;
    count += 1;
  }
  return frames;
}

/**
 * The STATE message. State that cannot be had in time is left out: the sockets are what counts.
 */
export async function collectState(
  settings: AgentSettings,
  ticketKeys: Record<string, string>,
  counters: Record<string, number>,
): Promise<{ message: Message & { type: 'STATE' }; fds: number[] }> {
  const saved = await savedState(settings);
  const [fittingKeys = {}] = inFrames(Object.entries(ticketKeys), STATE_BYTES);
  const message = { type: 'STATE' as const, ticketKeys: fittingKeys, counters, appBytes: saved?.bytes ?? 0 };
  return { message, fds: saved ? [saved.fd] : [] };
}

async function savedState(settings: AgentSettings): Promise<{ fd: number; bytes: number } | undefined> {
  if (!settings.saveState) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), settings.limits.stateMs);
  });
  try {
    const bytes = await Promise.race([Promise.resolve(settings.saveState()), late]);
    return bytes ? { fd: stateDescriptor(bytes), bytes: bytes.length } : undefined;
  } catch (error) {
    settings.log('state-not-saved', { error: String(error) });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
