import type { EnvoyBase } from './base.js';
import { HotRestartSocket } from './hot-restart-socket.js';
import {
  adminReply,
  emptyStatsReply,
  type HotRestartRequest,
  notRecognized,
  readRequest,
  socketReply,
  testReply,
} from './messages.js';

/** What the agent decides as Envoy's parent. */
export interface ParentHost {
  /** The agent's socket for this address and worker, or undefined: then Envoy binds one. */
  socketFor(address: string, worker: number): number | undefined;
  /** What `enable_reuse_port` means in listeners that do not say it. */
  reusePort: boolean;
  /** Envoy's workers accept. */
  serving(): void;
  log(event: string, fields: Record<string, unknown>): void;
}

/**
 * The older generation that Envoy believes to succeed: answers what it asks for, and keeps Envoy's `DrainListeners` to itself, which
 * says "I accept" and leaves to the agent when the generation before it stops.
 */
export class HotRestartParent {
  readonly #host: ParentHost;
  readonly #childPath: string;
  readonly #socket: HotRestartSocket;
  /** Forwarded QUIC packets would go here; an agent has none to forward, but Envoy wants the name to exist. */
  readonly #udp: HotRestartSocket;
  readonly #startedAtSeconds = Math.floor(Date.now() / 1000);

  /** @param epoch of the Envoy whose parent this is */
  constructor(base: EnvoyBase, epoch: number, host: ParentHost) {
    this.#host = host;
    this.#childPath = base.socketPath('child', epoch);
    const fault = (error: unknown): void => host.log('envoy-message-unreadable', { error: String(error) });
    this.#socket = new HotRestartSocket(
      base.socketPath('parent', epoch - 1),
      (message) => this.#receive(message),
      fault,
    );
    this.#udp = new HotRestartSocket(base.socketPath('udp_parent', epoch - 1), () => undefined, fault);
  }

  close(): void {
    this.#socket.close();
    this.#udp.close();
  }

  #receive(message: Uint8Array): void {
    const request = readRequest(message);
    if (request) this.#answer(request);
    else this.#socket.send(this.#childPath, notRecognized());
  }

  #answer(request: HotRestartRequest): void {
    switch (request.ask) {
      case 'listen-socket':
        this.#pass(request);
        break;
      case 'shutdown-admin':
        this.#send(adminReply(this.#startedAtSeconds, this.#host.reusePort));
        break;
      case 'stats':
        this.#send(emptyStatsReply());
        break;
      case 'test-connection':
        this.#send(testReply());
        break;
      case 'drain-listeners':
        this.#host.serving();
        break;
      case 'terminate':
      case 'forwarded-udp-packet':
        // The agent stays, and has no connection that a packet could belong to.
        break;
      case 'unknown':
        this.#host.log('envoy-asks-unknown', { field: request.field });
        this.#send(notRecognized());
    }
  }

  #pass(request: HotRestartRequest & { ask: 'listen-socket' }): void {
    const { address, worker, namespace } = request;
    // A socket of another network namespace is never the agent's.
    const fd = namespace === '' ? this.#host.socketFor(address, worker) : undefined;
    this.#host.log('envoy-asks-for-socket', { address, worker, given: fd !== undefined });
    this.#send(socketReply(fd ?? -1), fd === undefined ? [] : [fd]);
  }

  #send(message: Uint8Array, fds: number[] = []): void {
    const sent = this.#socket.send(this.#childPath, message, fds);
    if (sent < 0) this.#host.log('envoy-does-not-take-answers', { errno: sent });
  }
}
