import type { Conversation } from '../protocol/authentication.js';
import type { Message, PeerRole } from '../protocol/messages.js';
import type { TimeLimits } from './time-limits.js';

/** Where the new side of one conversation stands. `keeping`: a custodian that has its duplicates. */
export type TakerPhase =
  | 'hello'
  | 'importing'
  | 'awaiting-state'
  | 'initialising'
  | 'going'
  | 'attaching'
  | 'serving'
  | 'owner'
  | 'keeping'
  | 'closed';

export interface TakerState {
  phase: TakerPhase;
  deadline: number | undefined;
  conversation: Conversation | undefined;
  frames: number;
  listeners: number;
  faults: string[];
  /** The old one died after its sockets had come: nobody is left to ask, this side goes on alone. */
  orphaned: boolean;
}

export interface TakerContext {
  limits: TimeLimits;
  role: PeerRole;
  instance: string;
  appVersion: string;
  versions: { min: number; max: number };
  features: string[];
  nonce: string;
  secret: Uint8Array;
  wants: string[];
  /** Names that were offered but are not wanted here. */
  unwanted: string[];
}

export type TakerEvent =
  | { type: 'connected' }
  /** `seq` is the frame's; `faults` are what the self-check of an OFFER's descriptors found. */
  | { type: 'message'; message: Message; seq: number; faults?: string[] }
  | { type: 'eof' }
  | { type: 'unreadable'; message: string }
  | { type: 'tick' }
  | { type: 'program-ready' }
  | { type: 'program-failed'; message: string }
  | { type: 'attached' }
  | { type: 'succeeded' };

export type TakerAction =
  | { do: 'send'; message: Message }
  | { do: 'imported' }
  | { do: 'attach' }
  | { do: 'detach' }
  | { do: 'own'; how: 'takeover' | 'promoted' }
  | { do: 'kept' }
  | { do: 'holder-gone'; reason: string }
  | { do: 'adopt-connections'; seq: number }
  | { do: 'counters'; counters: Record<string, number> }
  | { do: 'retry'; reason: string; afterMs: number }
  | { do: 'fail'; reason: string; message: string }
  | { do: 'close'; reason: string };

export interface TakerStep {
  state: TakerState;
  actions: TakerAction[];
}

export function newTaker(now: number, limits: TimeLimits): TakerState {
  return {
    phase: 'hello',
    deadline: now + limits.connectMs,
    conversation: undefined,
    frames: 0,
    listeners: 0,
    faults: [],
    orphaned: false,
  };
}
