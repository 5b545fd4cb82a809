import type { Socket as UdpSocket } from 'node:dgram';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as NetServer, Socket } from 'node:net';
import type { TimeLimits } from '../handover/time-limits.js';
import type { AgentStatus } from '../status/snapshot.js';

/**
 * Where to listen: a TCP port, `host:port`, or an object. Port 0 takes any free one (a successor inherits it by name).
 *
 * `backlog` is how many connections may wait (default 4096; it is what clients live on while a crashed process restarts).
 */
export type ListenerSpec =
  | number
  | string
  | { host?: string; port: number; udp?: boolean; backlog?: number; ipv6Only?: boolean }
  | { path: string; backlog?: number };

/** What `takeover` needs to know. Only `listeners` has to be given. */
export interface TakeoverOptions {
  /** Every address the program serves, by a name that stays the same from version to version. */
  listeners: Record<string, ListenerSpec>;
  /** The directory that only the two sidecar containers share. Default: `SIDESTEP_DIR`, else `/run/sidestep`. */
  directory?: string;
  /** A label for status and logs, e.g. the image tag. */
  version?: string;
  limits?: Partial<TimeLimits>;
  /**
   * What happens to a process whose successor has taken over and whose connections have ended: `end` resolves `done`, `park`
   * stays as the custodian of the listeners until SIGTERM. Default: `park` in a hot pair (a container that ends is restarted by
   * the kubelet before the control plane has emptied it), else `end`.
   */
  afterDrain?: 'park' | 'end';
  /** Treat SIGTERM as "finish the drain" (default true). With false, call `stop()` yourself. */
  handleSigterm?: boolean;
  /** Opaque state for the successor, asked for when one has authenticated. At most 64 MiB; the successor does without what fails. */
  saveState?: () => Uint8Array | Promise<Uint8Array>;
  /** Counters that go on in the successor: absolute values now; the successor gets increments in `counters` events. */
  counters?: () => Record<string, number>;
  /** Numeric user ids the peer may have besides this process's own. */
  peerUids?: number[];
  /** Where to write one line per event; default: JSON lines on stderr. `false` writes nothing. */
  log?: ((event: string, fields: Record<string, unknown>) => void) | false;
}

/**
 * A server that `serve` knows how to stop, drain and, for HTTP/1.1, move connections of. UDP is best given as a function that makes
 * the socket: a dgram.Socket binds only once, and a process whose successor fails has to bind again.
 */
export type ServableServer = NetServer | Http2Server | Http2SecureServer | UdpSocket | (() => UdpSocket);

export interface ServeOptions {
  /** WebSockets of this server (a `ws` WebSocketServer fits): closed with 1012 and jitter during the drain. */
  websockets?: { clients: Iterable<{ close(code: number, reason: string): void }> };
  /** HTTP/2 with prior knowledge on the same TCP port as this HTTP/1.1 server. */
  h2c?: Http2Server;
  /**
   * Set to false to drain idle HTTP/1.1 connections instead of moving them. The server of the successor sees a moved connection
   * (`connection` event) from its first byte on; `getConnections` counts only what the server accepted itself. Its `close`,
   * `closeIdleConnections` and `closeAllConnections` end those that have not sent a byte, too.
   */
  migrate?: boolean;
  /**
   * For protocols of your own: return what the successor needs to go on with this connection (at most 3,072 bytes), or false to drain
   * it here. Called once per open connection when the drain starts; must not read from the socket afterwards. When it throws, or the
   * successor's side does, the connection stays here.
   */
  migrateConnection?: (socket: Socket) => Uint8Array | false;
  /** The successor's side of `migrateConnection`. */
  adoptConnection?: (socket: Socket, meta: Uint8Array) => void;
}

/** What became of the connections of a process that handed over. */
export interface Farewell {
  reason: string;
  migrated: number;
  drained: number;
  killed: number;
}

export interface TakeoverEvents {
  /** Any change of role. */
  role: [status: AgentStatus];
  /** Increments of the predecessor's counters. */
  counters: [delta: Record<string, number>];
  /** A successor serves; this process drains. Stop timers, leave the connections alone. */
  retire: [];
  /** The successor died or hangs; this process accepts again. */
  resume: [cause: string];
}

/** One process's part in the chain of hand-overs. */
export interface Takeover {
  /** What the predecessor's `saveState` returned, or undefined after a cold start. */
  readonly state: Uint8Array | undefined;
  /** True when the listeners came from a running predecessor or a custodian. */
  readonly inherited: boolean;
  /** Lets `server` accept on the named listener once `ready` is called. The server must not be listening yet. */
  serve(name: string, server: ServableServer, options?: ServeOptions): this;
  /** A duplicate of the listener's descriptor for anything `serve` does not know; the caller closes it. */
  fd(name: string): number;
  /** Where the listener is bound, e.g. to learn the port that 0 became. */
  address(name: string): ListenerAddress;
  /**
   * The program is initialised: accept, take ownership, resolve when that is settled.
   *
   * @throws AgentError `ABORTED` when the predecessor went back to serving; the process should exit with status 1.
   */
  ready(): Promise<void>;
  /** Resolves when this process has no listener, no connection and no duty left. */
  readonly done: Promise<Farewell>;
  /** Stop accepting, end connections, resolve like `done`. What SIGTERM does. `withinMs` caps it (default: drain limit). */
  stop(withinMs?: number): Promise<Farewell>;
  status(): AgentStatus;
  /** A handler that throws is logged (`handler-failed`) and changes nothing. */
  on<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this;
  off<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this;
}

export type ListenerAddress = { kind: 'tcp' | 'udp'; host: string; port: number } | { kind: 'unix'; path: string };
