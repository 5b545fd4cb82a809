import type { KubeApi } from '../api.js';
import { RateLimiter } from '../client/rate-limiter.js';
import { type Clock, delay, type Random, systemClock } from '../clock.js';
import { isNotFound } from '../error.js';
import {
  EVENT,
  type EventObject,
  type EventText,
  eventKey,
  type InvolvedObject,
  newEvent,
  objectKeyOf,
  repeatPatch,
} from './event-object.js';
import { RecentMap, SpamFilter } from './spam-filter.js';

export interface EventRecorderOptions {
  api: KubeApi;
  /** Shown by kubectl as the source. */
  component: string;
  /** Name of this process, e.g. the pod's. */
  instance: string;
  /** Events about one object at once, and one more per `refillMs` after that. Default 25 and 5 minutes, as client-go. */
  burst?: number;
  refillMs?: number;
  /** Within this time the same Event again is counted on the old one. Default 10 minutes, as client-go. */
  aggregateMs?: number;
  /** Events that may wait; more are dropped, first those that may be late. Default 1000. */
  queueLimit?: number;
  /** Events a second that may be late, in the long run; five times as many at once after a rest. Default 10. */
  qps?: number;
  onDropped?: (why: DropReason, about: InvolvedObject, text: EventText, error?: unknown) => void;
  clock?: Clock;
  random?: Random;
}

/**
 * `now`: written as soon as those before it are. `late`: news that nobody waits for and that comes by the thousand; it leaves the
 * API server to the work that it tells of.
 */
export type EventUrgency = 'now' | 'late';

/** Why an Event was not written: too many about one object, too many waiting, refused, or still waiting when the process ended. */
export type DropReason = 'spam' | 'queueFull' | 'failed' | 'ended';

interface Waiting {
  about: InvolvedObject;
  text: EventText;
  at: Date;
}

interface Lane {
  waiting: Waiting[];
  /** Set while its Events are being written. */
  writing?: Promise<void> | undefined;
}

interface Told {
  namespace: string;
  name: string;
  count: number;
  at: number;
}

const REMEMBERED = 4096;

/** Nobody reads what is answered, and the Events are made by this very code: that spares the API server some of its work. */
const UNREAD = { answer: 'metadata', fieldValidation: 'Ignore' } as const;

/**
 * Tells people what happened, as Events. Never throws and never makes its caller wait: Events are written one after another
 * in the background and lost rather than piled up, for they are a courtesy, not state.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions & { aggregateMs: number; queueLimit: number };
  readonly #clock: Clock;
  readonly #spam: SpamFilter;
  readonly #pace: RateLimiter;
  readonly #told = new RecentMap<Told>(REMEMBERED);
  readonly #lanes: Record<EventUrgency, Lane> = { now: { waiting: [] }, late: { waiting: [] } };
  #unpaced = new AbortController();
  #serial: number;

  constructor(options: EventRecorderOptions) {
    this.#options = { aggregateMs: 600_000, queueLimit: 1_000, ...options };
    this.#clock = options.clock ?? systemClock;
    // Starts anywhere, so that processes telling of one object in one millisecond do not choose the same name.
    this.#serial = Math.floor((options.random ?? Math.random)() * 0x1000);
    const { burst = 25, refillMs = 300_000, qps = 10 } = options;
    this.#spam = new SpamFilter(this.#clock, { burst, refillMs, capacity: REMEMBERED });
    this.#pace = new RateLimiter({ qps, burst: 5 * qps, clock: this.#clock });
  }

  /** Notes an Event; it is written as soon as those before it are, or, when it may be late, at the pace of those. */
  record(about: InvolvedObject, text: EventText, urgency: EventUrgency = 'now'): void {
    if (!this.#spam.allows(objectKeyOf(about))) {
      this.#dropped('spam', about, text);
      return;
    }
    const { now, late } = this.#lanes;
    this.#lanes[urgency].waiting.push({ about, text, at: this.#clock.now() });
    if (now.waiting.length + late.waiting.length > this.#options.queueLimit) {
      const lost = late.waiting.pop() ?? now.waiting.pop();
      if (lost !== undefined) this.#dropped('queueFull', lost.about, lost.text);
    }
    const lane = this.#lanes[urgency];
    // For an empty lane it would end at once, and the mark that it has ended would be overwritten with the promise of it.
    if (lane.waiting.length > 0) lane.writing ??= this.#writeAll(urgency);
  }

  /**
   * Resolves when every Event noted so far is written or lost, for the end of a process: none waits for its pace, and those that are
   * left after `withinMs` are lost. Those on their way by then are not waited for either; they may still arrive.
   */
  async flush(withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { now, late } = this.#lanes;
    const ended = new AbortController();
    this.#unpaced.abort();
    const written = Promise.all([now.writing, late.writing]).then(() => ended.abort());
    await (withinMs === Number.POSITIVE_INFINITY ? written : delay(this.#clock, withinMs, ended.signal));
    if (!ended.signal.aborted) this.#giveUp();
    this.#unpaced = new AbortController();
  }

  #giveUp(): void {
    for (const { waiting } of Object.values(this.#lanes)) {
      for (const { about, text } of waiting.splice(0)) this.#dropped('ended', about, text);
    }
  }

  async #writeAll(urgency: EventUrgency): Promise<void> {
    const lane = this.#lanes[urgency];
    while (lane.waiting.length > 0) {
      if (urgency === 'late') await this.#pace.acquire('', this.#unpaced.signal).catch(() => undefined);
      const next = lane.waiting.shift();
      if (next !== undefined) await this.#deliver(next);
    }
    lane.writing = undefined;
  }

  async #deliver({ about, text, at }: Waiting): Promise<void> {
    try {
      await this.#write(about, text, at);
    } catch (error) {
      this.#dropped('failed', about, text, error);
    }
  }

  async #write(about: InvolvedObject, text: EventText, now: Date): Promise<void> {
    const key = eventKey(about, text);
    const told = this.#told.get(key);
    if (told && now.getTime() - told.at < this.#options.aggregateMs && (await this.#repeat(told, now))) return;
    const event = newEvent(about, text, this.#options, now, this.#suffix(now));
    await this.#options.api.create<EventObject>(EVENT, event, UNREAD);
    const { namespace = '', name = '' } = event.metadata;
    this.#told.set(key, { namespace, name, count: 1, at: now.getTime() });
  }

  /** False when the old Event is gone: API servers drop Events after an hour. */
  async #repeat(told: Told, now: Date): Promise<boolean> {
    const ref = { namespace: told.namespace, name: told.name };
    try {
      await this.#options.api.patch(EVENT, ref, repeatPatch(told.count + 1, now), { type: 'merge', ...UNREAD });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    told.count += 1;
    told.at = now.getTime();
    return true;
  }

  /** Unique among the Events of an object: time as in client-go, and a serial for two in one millisecond. */
  #suffix(now: Date): string {
    this.#serial = (this.#serial + 1) % 0x1000;
    return `${now.getTime().toString(16)}${this.#serial.toString(16).padStart(3, '0')}`;
  }

  #dropped(why: DropReason, about: InvolvedObject, text: EventText, error?: unknown): void {
    try {
      this.#options.onDropped?.(why, about, text, error);
    } catch {
      // The listener's failure is not the caller's.
    }
  }
}
