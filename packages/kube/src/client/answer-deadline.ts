import type { Clock } from '../clock.js';

/** A timer that fires this much too late tells that this process stood still, not that the other side is silent. */
const LATE_MS = 500;
/** What answers that came meanwhile get to be read. */
const GRACE_MS = 1_000;

/**
 * Calls `expire` when no answer came within `ms`; the returned function ends the waiting. A process that was stopped or starved
 * looks at its timers before it reads from its connections, so it would take every answer that waits there for missing, and
 * writes that were done for undone.
 */
export function awaitAnswer(clock: Clock, ms: number, expire: () => void): () => void {
  const dueAt = clock.now().getTime() + ms;
  let cancel = clock.after(ms, () => {
    if (clock.now().getTime() - dueAt < LATE_MS) expire();
    else cancel = clock.after(GRACE_MS, expire);
  });
  return () => cancel();
}
