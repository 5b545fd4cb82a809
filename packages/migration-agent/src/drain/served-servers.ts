import { Socket as UdpSocket } from 'node:dgram';
import { Server as HttpServer } from 'node:http';
import type { Http2Server } from 'node:http2';
import { Server as HttpsServer } from 'node:https';
import { AgentError } from '../errors.js';
import type { DrainCounts, DrainTools, Workload } from '../handover/workload.js';
import { addon, closeAll, orThrow } from '../native/addon.js';
import type { OwnedListener } from '../native/listener.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import type { ServableServer, ServeOptions } from '../takeover/api.js';
import { ServedHttp1 } from './http1.js';
import { ServedHttp2 } from './http2.js';
import type { Served } from './served.js';
import { isTcpServer, ServedTcp } from './tcp.js';
import { ServedUdp } from './udp.js';

/** The workload of a Node program: its servers, each behind one listener. */
export class ServedServers implements Workload {
  readonly #listener: (name: string) => OwnedListener | undefined;
  readonly #log: (event: string, fields: Record<string, unknown>) => void;
  readonly #served = new Map<string, Served>();
  #accepting = false;

  constructor(
    listener: (name: string) => OwnedListener | undefined,
    log: (event: string, fields: Record<string, unknown>) => void,
  ) {
    this.#listener = listener;
    this.#log = log;
  }

  /** @throws AgentError `ALREADY_SERVED`, `NOT_SERVABLE`. */
  add(name: string, server: ServableServer, options: ServeOptions, idleCloseSpreadMs: number): void {
    if (this.#served.has(name)) {
      throw new AgentError('ALREADY_SERVED', `listener "${name}" has a server already`, {
        hint: 'One server per listener.',
      });
    }
    const failed: HookFailed = (hook, error) =>
      this.#log('hook-failed', { listener: name, hook, error: String(error) });
    this.#served.set(name, servedFor(name, server, options, idleCloseSpreadMs, failed));
  }

  async attach(): Promise<void> {
    if (this.#accepting) return;
    this.#accepting = true;
    await Promise.all([...this.#served].map(([name, served]) => this.#attachOne(name, served)));
  }

  detach(): void {
    this.#accepting = false;
    for (const served of this.#served.values()) served.detach();
  }

  openConnections(): number {
    return [...this.#served.values()].reduce((sum, served) => sum + served.openConnections(), 0);
  }

  async drain(tools: DrainTools): Promise<DrainCounts> {
    const all = await Promise.all([...this.#served].map(([name, served]) => served.drain(tools, name)));
    return all.reduce(
      (sum, one) => ({
        migrated: sum.migrated + one.migrated,
        drained: sum.drained + one.drained,
        killed: sum.killed + one.killed,
      }),
      { migrated: 0, drained: 0, killed: 0 },
    );
  }

  ticketKeys(): Record<string, string> {
    const keys: Record<string, string> = {};
    for (const [name, { ticketKeys }] of this.#served) if (ticketKeys) keys[name] = ticketKeys.get().toString('base64');
    return keys;
  }

  useTicketKeys(keys: Record<string, string>): void {
    for (const [name, { ticketKeys }] of this.#served) {
      const bytes = Buffer.from(keys[name] ?? '', 'base64');
      if (ticketKeys && bytes.length === 48) ticketKeys.set(bytes);
    }
  }

  adopt(record: ConnectionRecord, fd: number): boolean {
    const taken = this.#served.get(record.listener)?.adopt(record, fd) === true;
    if (!taken) closeAll([fd]);
    return taken;
  }

  async #attachOne(name: string, served: Served): Promise<void> {
    const listener = this.#listener(name);
    if (!listener) {
      throw new AgentError('NO_SUCH_LISTENER', `no listener is named "${name}"`, {
        hint: 'Name it in options.listeners.',
      });
    }
    const copy = orThrow('dup', addon().dup(listener.fd));
    await served.attach(copy, listener.record.backlog);
  }
}

type HookFailed = (hook: string, error: unknown) => void;

function servedFor(
  name: string,
  server: ServableServer,
  options: ServeOptions,
  idleCloseSpreadMs: number,
  failed: HookFailed,
): Served {
  if (typeof server === 'function' || server instanceof UdpSocket) return new ServedUdp(server);
  // An Http2Server has no public class to compare with; `updateSettings` is its alone.
  if ('updateSettings' in server) return new ServedHttp2(server as Http2Server, idleCloseSpreadMs);
  if (server instanceof HttpServer || server instanceof HttpsServer) {
    const { migrate = true, websockets, h2c } = options;
    return new ServedHttp1(server as HttpServer, { migrate, websockets, h2c, idleCloseSpreadMs });
  }
  if (isTcpServer(server)) {
    const { migrateConnection, adoptConnection } = options;
    return new ServedTcp(server, { migrateConnection, adoptConnection, failed });
  }
  throw new AgentError(
    'NOT_SERVABLE',
    `what was given for "${name}" is no server of Node's net, http, http2 or dgram`,
    {
      hint: 'Use fd(name) for anything else.',
    },
  );
}
