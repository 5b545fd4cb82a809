/**
 * Where a process stands, as its status socket and `sidestep-agent status` tell it.
 *
 * `starting`: asking for sockets or initialising · `owner`: serves, all is settled · `idle`: keeps duplicates of the listeners
 * but serves nothing (the custodian, or a hot-pair twin that is not its turn) · `draining`: a successor serves, this one ends
 * its connections · `aborted`: gave up, the reason says why, whoever served before still does · `done`: drained and finished.
 */
export type AgentRole = 'starting' | 'owner' | 'idle' | 'draining' | 'aborted' | 'done';

/** One listener as this process holds it. `address` is `host:port`, `[v6]:port` or a path. */
export interface ListenerStatus {
  name: string;
  kind: 'tcp' | 'udp' | 'unix';
  address: string;
  /** Connections that wait to be accepted, and the limit; TCP only. */
  acceptQueue?: { pending: number; limit: number };
}

/** How this process came to own its listeners. Times in milliseconds. */
export interface HandoverStatus {
  /** `cold`: bound the addresses itself · `takeover`: from a running one · `promoted`: the old one died on the way. */
  how: 'cold' | 'takeover' | 'promoted';
  /** From the first connect to the commit, less the time the program took for its own start. */
  handoverMs: number;
  /** Duration of each phase: connect, offer, prepare, serve, commit. */
  phases: Record<string, number>;
  committedAt: string;
}

/** The JSON object that the status socket sends on connect and after every change. */
export interface AgentStatus {
  role: AgentRole;
  /** One documented word, see docs/reference/takeover-protocol.md. */
  reason: string;
  message: string;
  instance: string;
  version: string;
  pid: number;
  /** Rises by one with every hand-over in this pod. */
  generation: number;
  listeners: ListenerStatus[];
  handover?: HandoverStatus;
  connections: { open: number; migrated: number; drained: number; killed: number };
  metrics: Record<string, number>;
}
