import type { Conversation } from '../protocol/authentication.js';
import type { Message, PeerRole } from '../protocol/messages.js';
import type { TimeLimits } from './time-limits.js';

/** Where the old side of one conversation stands. `keeping`: the peer is a custodian, which never takes over. */
export type GiverPhase =
  | 'connected'
  | 'challenged'
  | 'offering'
  | 'preparing'
  | 'going'
  | 'guarding'
  | 'draining'
  | 'keeping'
  | 'closed';

export interface GiverState {
  phase: GiverPhase;
  role: PeerRole;
  version: number;
  peer: string;
  peerFeatures: string[];
  conversation: Conversation | undefined;
  /** When the running step has taken too long, in the milliseconds of `now`. */
  deadline: number | undefined;
  heardAt: number;
  committedAt: number;
  nextPing: number;
  /** The successor is silent, so this side accepts again until it is heard. */
  covering: boolean;
  sentFrames: number;
  ackedFrames: number;
  /** The successor has been succeeded itself: its end is no failure. */
  released: boolean;
  drained: { migrated: number; drained: number; killed: number } | undefined;
  sigtermAt: number | undefined;
}

/** What the reducer may know beside its own state. */
export interface GiverContext {
  limits: TimeLimits;
  instance: string;
  appVersion: string;
  generation: number;
  versions: { min: number; max: number };
  features: string[];
  nonce: string;
  secret: Uint8Array;
  allowedUids: readonly number[];
  offerFrames: number;
  /** Another successor is being served, or this process no longer owns anything: a word for the ABORT, or undefined. */
  refusal: { reason: string; message: string; retryAfterMs: number } | undefined;
  connections: number;
}

export type GiverEvent =
  | { type: 'connected'; uid: number }
  | { type: 'message'; message: Message }
  | { type: 'eof' }
  /** A frame that cannot be read, after the commit. */
  | { type: 'unreadable' }
  | { type: 'tick' }
  | { type: 'state-sent' }
  | { type: 'drained'; migrated: number; drained: number; killed: number }
  | { type: 'sigterm' }
  | { type: 'abort'; reason: string; message: string };

export type GiverAction =
  | { do: 'send'; message: Message }
  | { do: 'claim' }
  | { do: 'offer'; frame: number }
  | { do: 'state' }
  | { do: 'stop-accepting' }
  | { do: 'drain' }
  | { do: 'accept-again'; cause: string }
  | { do: 'own-again'; cause: string }
  | { do: 'end'; reason: string }
  | { do: 'close'; reason: string }
  | { do: 'count'; metric: string };

export interface GiverStep {
  state: GiverState;
  actions: GiverAction[];
}

export function newGiver(now: number, limits: TimeLimits): GiverState {
  return {
    phase: 'connected',
    role: 'successor',
    version: 1,
    peer: '',
    peerFeatures: [],
    conversation: undefined,
    deadline: now + limits.connectMs,
    heardAt: now,
    committedAt: 0,
    nextPing: 0,
    covering: false,
    sentFrames: 0,
    ackedFrames: 0,
    released: false,
    drained: undefined,
    sigtermAt: undefined,
  };
}
