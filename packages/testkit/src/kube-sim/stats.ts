import type { RequestCount } from './types.js';

/** Counts answered requests by verb, resource, user agent and code. */
export class RequestStats {
  private readonly counts = new Map<string, RequestCount>();
  watchEvents = 0;

  add(verb: string, resource: string, userAgent: string, code: number): void {
    const id = `${verb} ${resource} ${code} ${userAgent}`;
    const known = this.counts.get(id);
    if (known) known.count += 1;
    else this.counts.set(id, { verb, resource, userAgent, code, count: 1 });
  }

  list(): RequestCount[] {
    return [...this.counts.values()].map((count) => ({ ...count }));
  }

  reset(): void {
    this.counts.clear();
    this.watchEvents = 0;
  }
}
