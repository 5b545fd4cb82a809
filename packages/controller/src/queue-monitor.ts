import type { AlarmClock } from './ports.js';

/** What changed about the queue. `filled: false` means that it may have lost jobs, so everything must be asked for again. */
export interface QueueChange {
  available: boolean;
  filled: boolean;
  /** Why it is not available, for conditions and readiness. */
  why?: string;
}

export interface QueueMonitorParts {
  /** Rejects while the queue cannot be reached; the generation is another one after it lost what it held. */
  ping(): Promise<{ generation: string }>;
  onChange(change: QueueChange): void;
  clock: AlarmClock;
  everyMs?: number;
}

/** Watches over the queue, so that the planner notices within a second that it is gone, back, or empty. */
export class QueueMonitor {
  private generation: string | undefined;
  private problem: string | undefined;
  private known = false;
  private stopped = false;
  private cancel: () => void = () => undefined;

  constructor(private readonly parts: QueueMonitorParts) {}

  /** Why the queue cannot be used; undefined while it answers. */
  get unavailable(): string | undefined {
    return this.known ? this.problem : 'the queue was not reached yet';
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    await this.look();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private async look(): Promise<void> {
    try {
      const { generation } = await this.parts.ping();
      this.answered(generation);
    } catch (error) {
      this.failed(error instanceof Error ? error.message : String(error));
    }
    if (this.stopped) return;
    this.cancel = this.parts.clock.after(this.parts.everyMs ?? 1_000, () => void this.look());
  }

  private answered(generation: string): void {
    const wasAway = this.problem !== undefined;
    const kept = generation === this.generation;
    const first = !this.known;
    this.known = true;
    this.problem = undefined;
    this.generation = generation;
    // After an outage producers were refused meanwhile, so even a queue that kept its jobs lacks some.
    if (!first && (wasAway || !kept)) this.tell({ available: true, filled: false });
  }

  private failed(why: string): void {
    const told = this.problem !== undefined;
    this.known = true;
    this.problem = why;
    if (!told) this.tell({ available: false, filled: false, why });
  }

  private tell(change: QueueChange): void {
    if (!this.stopped) this.parts.onChange(change);
  }
}
