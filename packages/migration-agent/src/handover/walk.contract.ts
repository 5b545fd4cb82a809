import type { Conversation } from '../protocol/authentication.js';
import type { Message } from '../protocol/messages.js';

/** What the tests of both sides begin with: who talks to whom, and the secret that both know. */
export const secret = Buffer.alloc(32, 1);
export const conversation: Conversation = {
  takerInstance: 'aa'.repeat(16),
  takerNonce: 'bb'.repeat(32),
  giverInstance: 'cc'.repeat(16),
  giverNonce: 'dd'.repeat(32),
};

/** An event a millisecond after the one before, or at a point in time. */
export type Entry<Event> = Event | [at: number, event: Event];

interface Action {
  do: string;
  /** Of what is sent. */
  message?: Message | string;
}

/** Plays events; tells the end state and everything that was done and said. */
export function walk<State, Event extends object, Done extends Action>(
  start: State,
  events: Entry<Event>[],
  reduce: (state: State, event: Event, now: number) => { state: State; actions: Done[] },
) {
  let state = start;
  let now = 0;
  const actions: Done[] = [];
  for (const entry of events) {
    const [at, event] = Array.isArray(entry) ? entry : [now + 1, entry];
    now = at;
    const step = reduce(state, event, now);
    state = step.state;
    actions.push(...step.actions);
  }
  const said = actions.flatMap(({ message }) => (typeof message === 'object' ? [message.type] : []));
  return { state, actions, said, did: actions.map((action) => action.do), now };
}

/** Waits between events as points in time. */
export function spaced<Event>(steps: [wait: number, event: Event][], from = 0): [at: number, event: Event][] {
  let now = from;
  return steps.map(([wait, event]) => {
    now += wait;
    return [now, event];
  });
}
