import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { AgentError } from '../errors.js';
import type { ListenerRecord } from '../protocol/messages.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  addon,
  orThrow,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type SocketFacts,
  SystemCallError,
} from './addon.js';

/** Where to listen, with every default filled in. */
export interface ListenerPlan {
  name: string;
  kind: 'tcp' | 'udp' | 'unix';
  host: string;
  port: number;
  path: string;
  backlog: number;
  ipv6Only: boolean;
}

/**
 * A socket this process owns. The descriptor here is never given to Node: Node gets duplicates, so that closing a server stops
 * accepting without giving the socket up.
 */
export interface OwnedListener {
  fd: number;
  record: ListenerRecord;
}

/** Creates, binds and (TCP, Unix) listens. @throws SystemCallError, e.g. EADDRINUSE, EACCES. */
export function openListener(plan: ListenerPlan): OwnedListener {
  const v6 = plan.host.includes(':');
  const domain = plan.kind === 'unix' ? AF_UNIX : v6 ? AF_INET6 : AF_INET;
  const fd = orThrow('socket', addon().socket(domain, plan.kind === 'udp' ? SOCK_DGRAM : SOCK_STREAM));
  try {
    if (plan.kind === 'unix') bindUnixPath(fd, plan);
    else {
      const bound = addon().bindInet(fd, plan.host, plan.port, plan.kind === 'tcp', plan.ipv6Only);
      orThrow('bind', bound, `${plan.host}:${plan.port}`);
      if (plan.kind === 'tcp') orThrow('listen', addon().listen(fd, plan.backlog));
    }
    return { fd, record: recordOf(plan.name, plan.kind, fd, plan.backlog) };
  } catch (error) {
    addon().close(fd);
    throw error;
  }
}

/**
 * A Unix path is bound under another name and renamed into place, so that the path never answers without a listener behind it. A
 * path somebody still listens on counts as in use; a dead one is replaced.
 */
function bindUnixPath(fd: number, plan: ListenerPlan): void {
  if (somebodyListens(plan.path)) throw new SystemCallError('bind', -98, plan.path);
  const unfinished = `${plan.path}.${randomBytes(4).toString('hex')}`;
  orThrow('bind', addon().bindUnix(fd, unfinished), unfinished);
  try {
    chmodSync(unfinished, 0o600);
    orThrow('listen', addon().listen(fd, plan.backlog));
    renameSync(unfinished, plan.path);
  } catch (error) {
    unlinkSync(unfinished);
    throw error;
  }
}

function somebodyListens(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return false;
  if (!found.isSocket()) {
    throw new AgentError('NOT_A_SOCKET', `${path} exists and is no socket`, {
      hint: 'Remove it or choose another path.',
    });
  }
  return [SOCK_STREAM, SOCK_SEQPACKET].some((type) => {
    const probe = orThrow('socket', addon().socket(AF_UNIX, type));
    const answer = addon().connectUnix(probe, path);
    addon().close(probe);
    return answer >= 0 || answer === -11;
  });
}

function recordOf(name: string, kind: ListenerRecord['kind'], fd: number, backlog: number): ListenerRecord {
  const facts = orThrow('getsockopt', addon().describe(fd));
  const base = { name, kind, backlog, cookie: facts.cookie };
  if (kind === 'unix') return { ...base, path: facts.path ?? '' };
  return { ...base, host: facts.host ?? '', port: facts.port ?? 0 };
}

const USUAL_BACKLOG = 4096;
const ANY_IPV6 = '::';

/** A socket that somebody else opened. @throws SystemCallError when it is none. */
export function receivedListener(name: string, kind: ListenerRecord['kind'], fd: number): OwnedListener {
  return { fd, record: recordOf(name, kind, fd, USUAL_BACKLOG) };
}

const EXPECTED = {
  tcp: { domains: [AF_INET, AF_INET6], type: SOCK_STREAM, accepting: 1 },
  udp: { domains: [AF_INET, AF_INET6], type: SOCK_DGRAM, accepting: 0 },
  unix: { domains: [AF_UNIX], type: SOCK_STREAM, accepting: 1 },
} as const;

/**
 * Checks that a received descriptor is what its record says: a file in place of a socket would end Node itself.
 *
 * Returns undefined when all is well, else the sentence that says what is wrong.
 */
export function faultOf(fd: number, record: ListenerRecord): string | undefined {
  const facts = addon().describe(fd);
  if (typeof facts === 'number') return `${record.name}: the descriptor is no socket`;
  const expected = EXPECTED[record.kind];
  if (!(expected.domains as readonly number[]).includes(facts.domain) || facts.type !== expected.type) {
    return `${record.name}: the descriptor is no ${record.kind} socket`;
  }
  if (facts.accepting !== expected.accepting) return `${record.name}: the socket is not listening`;
  if (facts.cookie !== record.cookie) return `${record.name}: the socket is another one than announced`;
  return addressDiffers(facts, record) ? `${record.name}: the socket has another address than announced` : undefined;
}

function addressDiffers(facts: SocketFacts, record: ListenerRecord): boolean {
  if (record.kind === 'unix') return facts.path !== record.path;
  return facts.host !== record.host || facts.port !== record.port;
}

/** Whether an inherited listener is what this version's configuration asks for; port 0 asks for none in particular. */
export function fits(plan: ListenerPlan, { fd, record }: OwnedListener): boolean {
  if (plan.kind !== record.kind) return false;
  if (plan.kind === 'unix') return plan.path === visiblePath(record.path ?? '');
  if (plan.host !== record.host || (plan.port !== 0 && plan.port !== record.port)) return false;
  return plan.host !== ANY_IPV6 || isIpv6Only(fd) === plan.ipv6Only;
}

/** Of both families or of IPv6 alone: the address is the same. */
function isIpv6Only(fd: number): boolean {
  const facts = addon().describe(fd);
  return typeof facts !== 'number' && facts.ipv6Only === 1;
}

// The kernel reports the name a Unix socket was bound by, which is the one before the rename.
function visiblePath(bound: string): string {
  return bound.replace(/\.[0-9a-f]{8}$/, '');
}

/** `host:port`, `[v6]:port` or the path. */
export function addressText(record: ListenerRecord): string {
  if (record.kind === 'unix') return visiblePath(record.path ?? '');
  return record.host?.includes(':') ? `[${record.host}]:${record.port}` : `${record.host}:${record.port}`;
}
