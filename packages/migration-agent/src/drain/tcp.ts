import { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { DrainCounts, DrainTools } from '../handover/workload.js';
import { addon, closeAll } from '../native/addon.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import { Acceptor } from './acceptor.js';
import { isMovable, movableSockets, moveConnections } from './moving.js';
import { drainUntilEmpty, type Served, Wakeup } from './served.js';

/** What a record may say of a connection, before base64. */
const MOST_META_BYTES = 3_072;

/** The user's own way to move connections of a protocol that only the user knows. A hook that fails leaves the connection where it is. */
export interface TcpHooks {
  migrateConnection: ((socket: Socket) => Uint8Array | false) | undefined;
  adoptConnection: ((socket: Socket, meta: Uint8Array) => void) | undefined;
  failed(hook: string, error: unknown): void;
}

/** Any TCP or Unix server: connections end by themselves, move by the user's hook, or are cut at the end of the drain. */
export class ServedTcp implements Served {
  readonly #hooks: TcpHooks;
  readonly #acceptor: Acceptor;
  readonly #wakeup = new Wakeup();
  readonly ticketKeys?: { get(): Buffer; set(keys: Buffer): void };

  constructor(server: Server, hooks: TcpHooks) {
    this.#hooks = hooks;
    this.#acceptor = new Acceptor(server, () => this.#wakeup.wake());
    if (server instanceof TlsServer) {
      this.ticketKeys = { get: () => server.getTicketKeys(), set: (keys) => server.setTicketKeys(keys) };
    }
  }

  attach(fd: number, backlog: number): Promise<void> {
    return this.#acceptor.attach(fd, backlog);
  }

  detach(): void {
    this.#acceptor.detach();
  }

  openConnections(): number {
    return this.#acceptor.sockets.size;
  }

  adopt(record: ConnectionRecord, fd: number): boolean {
    if (!this.#hooks.adoptConnection || record.protocol !== 'hook') return false;
    // A copy: what is refused is closed by the caller, and the old process goes on with its own.
    const copy = addon().dup(fd);
    if (copy < 0) return false;
    const socket = new Socket({ fd: copy, readable: true, writable: true });
    try {
      this.#hooks.adoptConnection(socket, Buffer.from(record.meta ?? '', 'base64'));
    } catch (error) {
      this.#hooks.failed('adoptConnection', error);
      socket.destroy();
      return false;
    }
    closeAll([fd]);
    this.#acceptor.sockets.add(socket);
    socket.once('close', () => this.#acceptor.sockets.delete(socket));
    return true;
  }

  async drain(tools: DrainTools, listener: string): Promise<DrainCounts> {
    const before = this.openConnections();
    const migrated = await this.#move(tools, listener);
    const { killed, left } = await drainUntilEmpty(tools, this.#wakeup, {
      open: () => this.openConnections(),
      round: () => Number.POSITIVE_INFINITY,
      cut: () => {
        for (const socket of this.#acceptor.sockets) socket.destroy();
      },
    });
    return { migrated, drained: Math.max(0, before - migrated - killed - left), killed };
  }

  async #move(tools: DrainTools, listener: string): Promise<number> {
    if (!tools.migrate || !this.#hooks.migrateConnection) return 0;
    let moved = 0;
    for (const socket of [...this.#acceptor.sockets]) {
      const meta = isMovable(socket) ? this.#metaOf(socket) : undefined;
      if (!meta) continue;
      const record: ConnectionRecord = { listener, protocol: 'hook', meta: meta.toString('base64') };
      moved += await moveConnections(movableSockets([socket], record), tools.migrate);
    }
    return moved;
  }

  /** Undefined when the connection stays here. */
  #metaOf(socket: Socket): Buffer | undefined {
    try {
      const given = this.#hooks.migrateConnection?.(socket);
      if (!given) return undefined;
      const meta = Buffer.from(given);
      if (meta.length <= MOST_META_BYTES) return meta;
      throw new RangeError(`${meta.length} bytes for one connection are more than ${MOST_META_BYTES}`);
    } catch (error) {
      this.#hooks.failed('migrateConnection', error);
      return undefined;
    }
  }
}

export function isTcpServer(server: unknown): server is Server {
  return server instanceof Server;
}
