import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { AgentError } from '../errors.js';
import { prebuilt } from './prebuilt.js';

/** What the kernel says a descriptor is. */
export interface SocketFacts {
  domain: number;
  type: number;
  protocol: number;
  accepting: number;
  cookie: string;
  /** 1 or 0; of IPv6 only. */
  ipv6Only?: number;
  host?: string;
  port?: number;
  path?: string;
}

export interface ReceivedMessage {
  bytes: number;
  fds: number[];
  /** 1: data was cut off, 2: descriptors were lost. */
  truncated: number;
  from?: string;
}

export type WatchHandle = object;

/** The functions of native/*.c. A negative number is an errno. */
export interface NativeAddon {
  socket(domain: number, type: number): number;
  bindInet(
    fd: number,
    host: string,
    port: number,
    reuseAddress: boolean,
    ipv6Only: boolean,
    reusePort?: boolean,
  ): number;
  bindUnix(fd: number, path: string): number;
  connectUnix(fd: number, path: string): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number): number;
  dup(fd: number): number;
  close(fd: number): number;
  describe(fd: number): SocketFacts | number;
  acceptQueue(fd: number): [number, number] | number;
  /** New connections go to the first `count` sockets of the SO_REUSEPORT group of `fd`; 0 undoes that. */
  spreadOver(fd: number, count: number): number;
  peerCredentials(fd: number): { pid: number; uid: number; gid: number } | number;
  sendmsg(fd: number, data: Uint8Array, fds?: readonly number[], destination?: string): number;
  recvmsg(fd: number, into: Uint8Array): ReceivedMessage | number;
  memfd(name: string, data: Uint8Array): number;
  watch(fd: number, events: number, callback: (events: number) => void): WatchHandle | number;
  rewatch(handle: WatchHandle, events: number): number;
  hold(handle: WatchHandle, hold: boolean): number;
  unwatch(handle: WatchHandle): number;
  /** An epoll set; it is itself readable when a member is. */
  waitSet(): number;
  waitSetAdd(set: number, fd: number): number;
  waitSetRemove(set: number, fd: number): number;
  waitSetReady(set: number): number[] | number;
  reapOrphans(known: readonly number[]): number;
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
export const READABLE = 1;
export const WRITABLE = 2;
export const EAGAIN = -11;

let loaded: NativeAddon | undefined;

/** The addon, loaded at first use. @throws AgentError `NOT_LINUX`, `ADDON_MISSING`. */
export function addon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  if (process.platform !== 'linux') {
    throw new AgentError('NOT_LINUX', `sockets cannot be handed over on ${process.platform}`, {
      hint: 'Descriptors travel between processes by a Linux kernel feature; run this in a Linux container or virtual machine.',
    });
  }
  const reasons: string[] = [];
  for (const path of prebuilt('sidestep.node')) {
    try {
      return createRequire(import.meta.url)(path) as NativeAddon;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new AgentError('ADDON_MISSING', reasons[0] ?? `no native addon for linux-${process.arch}`, {
    hint: 'In a checkout run "pnpm --filter @sidestep/migration-agent build" (needs a C compiler).',
  });
}

/** A kernel call failed. `errno` is the name, e.g. EADDRINUSE. */
export class SystemCallError extends AgentError {
  readonly errno: string;

  constructor(call: string, errno: number, detail: string) {
    const name = getSystemErrorName(errno);
    super('SYSTEM_CALL', `${call} failed: ${name}${detail ? ` (${detail})` : ''}`, {
      hint: 'The kernel refused; the name in the message is explained in errno(3).',
      retry: 'backoff',
    });
    this.errno = name;
  }
}

/** Passes a result through, throws SystemCallError for a negative one. */
export function orThrow<T>(call: string, result: T | number, detail = ''): T {
  if (typeof result === 'number' && result < 0) throw new SystemCallError(call, result, detail);
  return result as T;
}

/** Closes descriptors that nobody will use; those already closed do no harm. */
export function closeAll(fds: Iterable<number>): void {
  for (const fd of fds) addon().close(fd);
}
