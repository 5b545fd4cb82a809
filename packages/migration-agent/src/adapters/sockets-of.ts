import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { attempt } from './processes.js';
import { socketsIn, type TcpSocket } from './tcp-table.js';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
const LOOK_EVERY_MS = 1_000;
const FIRST_LOOK_MS = 100;

/**
 * How many TCP connections to these ports the processes have. Zero, too, when the kernel does not let this process look: the others
 * run as another user, and it may not trace them.
 */
export async function connectionsOf(pids: readonly number[], ports: ReadonlySet<number>): Promise<number> {
  if (ports.size === 0) return 0;
  const connected = await tcpSockets(({ listening, port }) => !listening && ports.has(port));
  if (connected.length === 0) return 0;
  const held = heldBy(pids);
  return connected.filter(({ inode }) => held.has(inode)).length;
}

/** The TCP ports on which the processes listen. */
export async function portsListenedOnBy(pids: readonly number[]): Promise<Set<number>> {
  const held = heldBy(pids);
  const sockets = await tcpSockets(({ listening, inode }) => listening && held.has(inode));
  return new Set(sockets.map(({ port }) => port));
}

/** Counts the connections of processes that leave, now and then until they have ended. */
export class ConnectionWatch {
  readonly #count: () => Promise<number>;
  #timer: NodeJS.Timeout | undefined;
  #left = 0;

  constructor(count: () => Promise<number>) {
    this.#count = count;
  }

  /** When last looked at. */
  get left(): number {
    return this.#left;
  }

  begin(): void {
    if (this.#timer) return;
    // A program that is done at once is never looked at: the kernel's table is long.
    this.#timer = setTimeout(() => {
      void this.look();
      this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    }, FIRST_LOOK_MS).unref();
  }

  async look(): Promise<number> {
    this.#left = await this.#count();
    return this.#left;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#left = 0;
  }
}

async function tcpSockets(wanted: (socket: TcpSocket) => boolean): Promise<TcpSocket[]> {
  const tables = await Promise.all(TABLES.map((table) => readFile(table, 'latin1').catch(() => '')));
  return tables.flatMap((table) => [...socketsIn(table, wanted)]);
}

/** The inode numbers of the sockets that the processes have open. */
function heldBy(pids: readonly number[]): Set<string> {
  const links = pids.flatMap((pid) => {
    const folder = `/proc/${pid}/fd`;
    return attempt(() => readdirSync(folder), []).map((fd) => attempt(() => readlinkSync(`${folder}/${fd}`), ''));
  });
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}
