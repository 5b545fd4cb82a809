import type { ChangeType } from './store.js';

/** Which requests (or, for `watch` effects, which watch events) a fault meets. Everything left out matches all. */
export interface FaultMatch {
  /** `get list watch create update patch delete`, as RBAC names them. */
  verbs?: string[];
  /** Plural, e.g. `pods`; `pods/status` means the subresource only, `pods/` the objects without their subresources. */
  resource?: string;
  namespace?: string;
  name?: string;
  /** Part of the User-Agent header, to meet one program only. */
  userAgent?: string;
}

export type FaultEffect =
  /** Answers this Status instead of doing anything, e.g. 409, 429 (with `retryAfterSeconds`), 500, 410. */
  | { kind: 'status'; code: number; reason?: string; message?: string; retryAfterSeconds?: number }
  /** Does it, late. */
  | { kind: 'delay'; ms: number }
  /** Never answers; the connection stays open. */
  | { kind: 'hang' }
  /** Cuts the connection before anything is done. */
  | { kind: 'disconnect' }
  /** Does it, then cuts the connection instead of answering: the client cannot know. */
  | { kind: 'disconnectAfter' }
  /** Does it, but never answers; the connection stays open. */
  | { kind: 'hangAfter' }
  /** Watch events that are never sent, sent twice, or sent late (so that later ones overtake them). */
  | { kind: 'dropEvent'; types?: ChangeType[] }
  | { kind: 'duplicateEvent'; types?: ChangeType[] }
  | { kind: 'delayEvent'; ms: number; types?: ChangeType[] };

export interface FaultRule {
  match?: FaultMatch;
  /** 0 to 1; default 1. */
  probability?: number;
  /** Ends after so many hits; default never. */
  count?: number;
  /** Lets so many matching ones pass first. */
  skip?: number;
  effect: FaultEffect;
}

/** A request, or the subject of a watch event, as the rules see it. */
export interface FaultSubject {
  verb: string;
  resource: string;
  subresource: string | undefined;
  namespace: string | undefined;
  name: string | undefined;
  userAgent: string;
}

export interface EventFate {
  drop: boolean;
  copies: number;
  delayMs: number;
}

/** Disturbs a kube-sim; the same over HTTP under `/sim/faults`. */
export interface FaultControl {
  /** Returns the id to remove it by. */
  add(rule: FaultRule): string;
  remove(id: string): void;
  clear(): void;
  /** The rules in force, with how often each has struck. */
  list(): { id: string; hits: number; rule: FaultRule }[];
  /** Ends open watches (of one resource, or all) as a broken connection does. Returns how many. */
  cutWatches(resource?: string): number;
  /** Forgets the watch history: resuming from before now answers 410. */
  compact(): void;
  /** Answers nothing at all, of anything, until `thaw` (or after `ms`); connections are accepted and stay open. */
  freeze(ms?: number): void;
  thaw(): void;
}

const UNTOUCHED: EventFate = { drop: false, copies: 1, delayMs: 0 };

interface ActiveRule {
  id: string;
  rule: FaultRule;
  seen: number;
  hits: number;
}

/** Holds the rules and decides which one strikes. */
export class FaultRules {
  private rules: ActiveRule[] = [];
  private nextId = 1;

  constructor(private readonly random: () => number) {}

  add(rule: FaultRule): string {
    const id = `fault-${this.nextId}`;
    this.nextId += 1;
    this.rules.push({ id, rule, seen: 0, hits: 0 });
    return id;
  }

  remove(id: string): void {
    this.rules = this.rules.filter((active) => active.id !== id);
  }

  clear(): void {
    this.rules = [];
  }

  list(): { id: string; hits: number; rule: FaultRule }[] {
    return this.rules.map(({ id, hits, rule }) => ({ id, hits, rule }));
  }

  /** The first rule about requests that strikes. */
  forRequest(subject: FaultSubject): FaultEffect | undefined {
    return this.rules.find((active) => !isEventEffect(active.rule.effect) && this.strikes(active, subject))?.rule
      .effect;
  }

  forEvent(type: ChangeType, subject: FaultSubject): EventFate {
    if (this.rules.length === 0) return UNTOUCHED;
    const fate = { ...UNTOUCHED };
    for (const active of this.rules) {
      const { effect } = active.rule;
      if (!isEventEffect(effect) || (effect.types && !effect.types.includes(type))) continue;
      if (!this.strikes(active, subject)) continue;
      if (effect.kind === 'dropEvent') fate.drop = true;
      if (effect.kind === 'duplicateEvent') fate.copies += 1;
      if (effect.kind === 'delayEvent') fate.delayMs += effect.ms;
    }
    return fate;
  }

  private strikes(active: ActiveRule, subject: FaultSubject): boolean {
    const { rule } = active;
    if (rule.count !== undefined && active.hits >= rule.count) return false;
    if (!matches(rule.match ?? {}, subject)) return false;
    active.seen += 1;
    if (active.seen <= (rule.skip ?? 0)) return false;
    if (rule.probability !== undefined && this.random() >= rule.probability) return false;
    active.hits += 1;
    return true;
  }
}

type EventEffect = Extract<FaultEffect, { kind: 'dropEvent' | 'duplicateEvent' | 'delayEvent' }>;
const isEventEffect = (effect: FaultEffect): effect is EventEffect => effect.kind.endsWith('Event');

function matches(match: FaultMatch, subject: FaultSubject): boolean {
  const resource = `${subject.resource}/${subject.subresource ?? ''}`;
  return (
    (match.verbs === undefined || match.verbs.includes(subject.verb)) &&
    (match.resource === undefined || match.resource === resource || match.resource === subject.resource) &&
    (match.namespace === undefined || match.namespace === subject.namespace) &&
    (match.name === undefined || match.name === subject.name) &&
    (match.userAgent === undefined || subject.userAgent.includes(match.userAgent))
  );
}

/** Same faults for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
