import type { AgentRole, AgentStatus, HandoverStatus, ListenerStatus } from './snapshot.js';

/** The facts that the board cannot know by itself; asked for at each look. */
export interface BoardSources {
  listeners(): ListenerStatus[];
  openConnections(): number;
}

/** Holds what a process says of itself, and tells those who wait for a change. */
export class StatusBoard {
  #role: AgentRole = 'starting';
  #reason = 'starting';
  #message = '';
  #handover: HandoverStatus | undefined;
  readonly #changed = new Set<(status: AgentStatus) => void>();
  readonly #metrics = new Map<string, number>();
  readonly #identity: { instance: string; version: string };
  readonly #sources: BoardSources;
  readonly connections = { migrated: 0, drained: 0, killed: 0 };
  generation = 0;

  constructor(identity: { instance: string; version: string }, sources: BoardSources) {
    this.#identity = identity;
    this.#sources = sources;
  }

  get role(): AgentRole {
    return this.#role;
  }

  get reason(): string {
    return this.#reason;
  }

  set(role: AgentRole, reason: string, message: string): void {
    this.#role = role;
    this.#reason = reason;
    this.#message = message;
    const status = this.snapshot();
    for (const changed of [...this.#changed]) changed(status);
  }

  handedOver(handover: HandoverStatus): void {
    this.#handover = handover;
  }

  count(metric: string, by = 1): void {
    this.#metrics.set(metric, (this.#metrics.get(metric) ?? 0) + by);
  }

  onChange(changed: (status: AgentStatus) => void): () => void {
    this.#changed.add(changed);
    return () => this.#changed.delete(changed);
  }

  snapshot(): AgentStatus {
    const listeners = this.#sources.listeners();
    return {
      role: this.#role,
      reason: this.#reason,
      message: this.#message,
      ...this.#identity,
      pid: process.pid,
      generation: this.generation,
      listeners,
      ...(this.#handover ? { handover: this.#handover } : {}),
      connections: { open: this.#sources.openConnections(), ...this.connections },
      metrics: this.#allMetrics(listeners),
    };
  }

  #allMetrics(listeners: ListenerStatus[]): Record<string, number> {
    const out: Record<string, number> = Object.fromEntries(this.#metrics);
    out.takeover_generation = this.generation;
    out.takeover_owner = this.#role === 'owner' ? 1 : 0;
    for (const [outcome, count] of Object.entries(this.connections))
      out[`takeover_conns{outcome="${outcome}"}`] = count;
    for (const [phase, ms] of Object.entries(this.#handover?.phases ?? {})) {
      out[`takeover_phase_seconds{phase="${phase}"}`] = ms / 1000;
    }
    for (const { name, acceptQueue } of listeners) {
      if (acceptQueue) out[`listener_accept_queue{name="${name}"}`] = acceptQueue.pending;
    }
    return out;
  }
}
