/**
 * A signal that aborts with the first of the others, until it is released. `AbortSignal.any` would do, but on Node 20 what
 * it makes may be collected as garbage while somebody still listens.
 */
export function firstOf(signals: readonly AbortSignal[]): { signal: AbortSignal; release: () => void } {
  const first = new AbortController();
  const abort = (): void => first.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: first.signal,
    release: () => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    },
  };
}
