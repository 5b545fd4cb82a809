import { addon, SOCK_STREAM, type SocketFacts } from '../../native/addon.js';
import { addressText, type OwnedListener, receivedListener } from '../../native/listener.js';
import type { SocketKeeper } from '../adapter.js';

/** Where duplicates of Envoy's sockets come from. */
export interface SocketSource {
  /** `host:port`, `[v6]:port` or a path of every active listener. */
  listeners(): Promise<string[]>;
  /** The caller's to close; undefined when Envoy has none. */
  listenSocket(address: string, worker: number): Promise<number | undefined>;
}

type Kind = OwnedListener['record']['kind'];

const SCHEME: Record<Kind, string> = { tcp: 'tcp://', udp: 'udp://', unix: 'unix://' };

/** `host:port` or `[v6]:port`; any other is the path of a Unix socket, which may be relative. */
const IP_ADDRESS = /^(\[[^\]]+\]|[\d.]+):\d+$/;

/** The listener that the agent itself serves: `--listen admin=ADDRESS` leads to Envoy's private admin. */
export const ADMIN = 'admin';

/**
 * Which of the agent's sockets belongs to which of Envoy's listeners and workers.
 *
 * Envoy opens its sockets by itself, with every option of its configuration, when the agent has none for it; the agent then fetches
 * duplicates. With `enable_reuse_port` there is one for each worker, called `tcp:ADDRESS`, `tcp:ADDRESS#1`, `tcp:ADDRESS#2`.
 */
export class EnvoySockets {
  readonly #keeper: SocketKeeper;
  readonly #log: (event: string, fields: Record<string, unknown>) => void;
  /** What has been compared with Envoy, so that nothing is asked twice. */
  readonly #settled = new Set<string>();

  constructor(keeper: SocketKeeper, log: (event: string, fields: Record<string, unknown>) => void) {
    this.#keeper = keeper;
    this.#log = log;
  }

  /** What Envoy gets when it asks. A socket that is not one of several is for every worker. */
  find(address: string, worker: number): number | undefined {
    const kind = (Object.keys(SCHEME) as Kind[]).find((name) => address.startsWith(SCHEME[name]));
    if (!kind) return undefined;
    const text = address.slice(SCHEME[kind].length);
    this.#settled.delete(`${kind}:${text}`);
    const here = this.#at(kind, text);
    return (here.get(worker) ?? (here.size === 1 ? here.get(0) : undefined))?.fd;
  }

  /** Fetches what Envoy has opened by itself, gives up what it does not listen on. @throws Error when Envoy does not answer. */
  async settle(source: SocketSource): Promise<void> {
    // An abstract name does not change hands. Envoy itself would end if it were asked for a name that it cannot read.
    const active = new Set((await source.listeners()).filter((text) => !text.startsWith('@')));
    for (const { record } of [...this.#keeper.all()]) {
      if (record.name !== ADMIN && !active.has(addressText(record)))
        this.#drop(record.name, 'no listener has this address');
    }
    for (const text of active) {
      const kinds: Kind[] = IP_ADDRESS.test(text) ? ['tcp', 'udp'] : ['unix'];
      for (const kind of kinds) {
        const key = `${kind}:${text}`;
        if (this.#settled.has(key)) continue;
        this.#settled.add(key);
        await this.#compare(source, kind, text);
      }
    }
  }

  async #compare(source: SocketSource, kind: Kind, text: string): Promise<void> {
    const cookies: string[] = [];
    for (;;) {
      const worker = cookies.length;
      const fd = await source.listenSocket(`${SCHEME[kind]}${text}`, worker);
      if (fd === undefined) break;
      const listener = received(fd, kind, text, worker);
      // One socket for all workers: the second question is answered with the first one's.
      if (!listener || cookies.includes(listener.record.cookie)) {
        addon().close(fd);
        break;
      }
      cookies.push(listener.record.cookie);
      if (this.#at(kind, text).get(worker)?.record.cookie === listener.record.cookie) addon().close(fd);
      else this.#add(listener);
    }
    this.#leaveBehind(kind, text, cookies.length);
  }

  /**
   * Fewer workers than before: what would still be spread over their sockets waits there for nobody. While the version before
   * accepts on all of them, the kernel is told to use those that stay. (UDP has no such moment: its datagrams must keep their worker.)
   */
  #leaveBehind(kind: Kind, text: string, workers: number): void {
    const here = this.#at(kind, text);
    const left = [...here].filter(([worker]) => worker >= workers);
    const stays = here.get(0);
    if (kind === 'tcp' && stays && workers > 0 && here.size > 1) {
      const result = addon().spreadOver(stays.fd, left.length > 0 ? workers : 0);
      if (left.length > 0)
        this.#log('sockets-left-behind', { address: text, workers, before: here.size, errno: result });
    }
    for (const [, { record }] of left) this.#drop(record.name, 'no worker listens on it');
  }

  /** The agent's sockets of one address, by worker. */
  #at(kind: Kind, text: string): Map<number, OwnedListener> {
    const out = new Map<number, OwnedListener>();
    for (const listener of this.#keeper.all()) {
      const { name, kind: is } = listener.record;
      if (is !== kind || name === ADMIN || addressText(listener.record) !== text) continue;
      out.set(name.startsWith(`${nameOf(kind, text, 0)}#`) ? Number(name.split('#').at(-1)) : 0, listener);
    }
    return out;
  }

  #add(listener: OwnedListener): void {
    this.#log('socket-fetched', { name: listener.record.name });
    this.#keeper.add(listener);
  }

  #drop(name: string, why: string): void {
    this.#log('socket-given-up', { name, why });
    this.#keeper.drop(name);
  }
}

function nameOf(kind: Kind, text: string, worker: number): string {
  return worker === 0 ? `${kind}:${text}` : `${kind}:${text}#${worker}`;
}

/** Undefined when the descriptor is not what was asked for, as with an answer that came too late for its question. */
function received(fd: number, kind: Kind, text: string, worker: number): OwnedListener | undefined {
  const facts = addon().describe(fd);
  if (typeof facts === 'number' || kindOf(facts) !== kind) return undefined;
  const listener = receivedListener(nameOf(kind, text, worker), kind, fd);
  return addressText(listener.record) === text ? listener : undefined;
}

function kindOf(facts: SocketFacts): Kind {
  if (facts.path !== undefined) return 'unix';
  return facts.type === SOCK_STREAM ? 'tcp' : 'udp';
}
