import type { KubeApi } from '../api.js';
import { type Clock, type Random, systemClock } from '../clock.js';
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
  /** Events that may wait for the API server; more are dropped. Default 1000. */
  queueLimit?: number;
  onDropped?: (why: 'spam' | 'queueFull' | 'failed', about: InvolvedObject, text: EventText, error?: unknown) => void;
  clock?: Clock;
  random?: Random;
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
  readonly #told = new RecentMap<Told>(REMEMBERED);
  #queued = 0;
  #tail: Promise<void> = Promise.resolve();
  #serial: number;

  constructor(options: EventRecorderOptions) {
    this.#options = { aggregateMs: 600_000, queueLimit: 1_000, ...options };
    this.#clock = options.clock ?? systemClock;
    // Starts anywhere, so that processes telling of one object in one millisecond do not choose the same name.
    this.#serial = Math.floor((options.random ?? Math.random)() * 0x1000);
    const { burst = 25, refillMs = 300_000 } = options;
    this.#spam = new SpamFilter(this.#clock, { burst, refillMs, capacity: REMEMBERED });
  }

  /** Notes an Event; it is written as soon as those before it are. */
  record(about: InvolvedObject, text: EventText): void {
    if (!this.#spam.allows(objectKeyOf(about))) {
      this.#dropped('spam', about, text);
      return;
    }
    if (this.#queued >= this.#options.queueLimit) {
      this.#dropped('queueFull', about, text);
      return;
    }
    this.#queued += 1;
    this.#tail = this.#tail.then(() => this.#deliver(about, text));
  }

  /** Resolves when every Event noted so far is written or lost. */
  async flush(): Promise<void> {
    await this.#tail;
  }

  async #deliver(about: InvolvedObject, text: EventText): Promise<void> {
    try {
      await this.#write(about, text);
    } catch (error) {
      this.#dropped('failed', about, text, error);
    } finally {
      this.#queued -= 1;
    }
  }

  async #write(about: InvolvedObject, text: EventText): Promise<void> {
    const key = eventKey(about, text);
    const told = this.#told.get(key);
    const now = this.#clock.now();
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

  #dropped(why: 'spam' | 'queueFull' | 'failed', about: InvolvedObject, text: EventText, error?: unknown): void {
    try {
      this.#options.onDropped?.(why, about, text, error);
    } catch {
      // The listener's failure is not the caller's.
    }
  }
}
