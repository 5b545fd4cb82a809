import { isIP, SocketAddress } from 'node:net';
import { AgentError } from '../errors.js';
import type { ListenerPlan } from '../native/listener.js';
import { MAX_LISTENERS } from '../protocol/limits.js';
import type { ListenerSpec } from './api.js';

const DEFAULT_BACKLOG = 4096;

/**
 * Fills the defaults in. Text is `port`, `host:port`, `[v6]:port`, `unix:/path`, or `udp:host:port`.
 *
 * @throws AgentError `BAD_ADDRESS` naming the listener and what is allowed.
 */
export function planListener(name: string, spec: ListenerSpec): ListenerPlan {
  const base = { name, host: '0.0.0.0', port: 0, path: '', backlog: DEFAULT_BACKLOG, ipv6Only: false };
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw bad(name, 'its name must be letters, digits, ".", "_" and "-", at most 64');
  if (typeof spec === 'number') return { ...base, kind: 'tcp', port: port(name, spec) };
  if (typeof spec === 'string') return { ...base, ...fromText(name, spec) };
  const backlog = spec.backlog ?? DEFAULT_BACKLOG;
  if ('path' in spec) return { ...base, kind: 'unix', path: pathOf(name, spec.path), backlog };
  const host = hostOf(name, spec.host ?? base.host);
  const kind = spec.udp === true ? 'udp' : 'tcp';
  return { ...base, kind, host, port: port(name, spec.port), backlog, ipv6Only: spec.ipv6Only === true };
}

/** All of a program's listeners. @throws AgentError `BAD_ADDRESS`. */
export function planListeners(listeners: Record<string, ListenerSpec>): ListenerPlan[] {
  return together(Object.entries(listeners).map(([name, spec]) => planListener(name, spec)));
}

/** Every item of `--listen`. @throws TypeError, AgentError `BAD_ADDRESS`. */
export function listenerPlansOf(items: readonly string[]): ListenerPlan[] {
  return together(items.map(listenerPlanOf));
}

/**
 * What no listener can see alone. Whatever starts must also be able to hand over: names are unique, and a frame takes so many.
 *
 * `[::]:80` beside `0.0.0.0:80` is for IPv6 alone, as nginx and others understand it; by itself it takes both.
 */
function together(plans: ListenerPlan[]): ListenerPlan[] {
  const [first] = plans;
  if (first && plans.length > MAX_LISTENERS) {
    throw bad(first.name, `it is one of ${plans.length}; at most ${MAX_LISTENERS} can be handed over`);
  }
  const names = new Set<string>();
  const addresses = new Map<string, string>();
  for (const plan of plans) {
    if (names.has(plan.name)) throw bad(plan.name, 'there are two of this name');
    names.add(plan.name);
    if (plan.kind !== 'unix' && plan.port === 0) continue;
    const address = [plan.kind, plan.host, plan.port, plan.path].join(' ');
    const other = addresses.get(address);
    if (other !== undefined) throw bad(plan.name, `it has the address of "${other}"`);
    addresses.set(address, plan.name);
  }
  return plans.map((plan) => {
    const besideIt = plan.host === '::' && addresses.has([plan.kind, '0.0.0.0', plan.port, ''].join(' '));
    return besideIt ? { ...plan, ipv6Only: true } : plan;
  });
}

/** One item of `--listen`: `NAME=ADDRESS`. */
function listenerPlanOf(item: string): ListenerPlan {
  const [name, ...address] = item.split('=');
  if (!name || address.length === 0) throw new TypeError(`--listen is "${item}"; allowed is NAME=ADDRESS`);
  const text = address.join('=');
  return planListener(name, /^\d+$/.test(text) ? Number(text) : text);
}

function fromText(name: string, spec: string): Pick<ListenerPlan, 'kind' | 'host' | 'port' | 'path'> {
  if (spec.startsWith('unix:')) return { kind: 'unix', host: '', port: 0, path: pathOf(name, spec.slice(5)) };
  const kind = spec.startsWith('udp:') ? 'udp' : 'tcp';
  const parts = /^(?:(?:udp|tcp):)?(?:\[([^\]]+)\]:|([^:]*):)?(\d+)$/.exec(spec);
  if (!parts) throw bad(name, `"${spec}" is none of: 8080, 127.0.0.1:8080, [::]:8080, udp:0.0.0.0:53, unix:/path`);
  const host = hostOf(name, parts[1] || parts[2] || '0.0.0.0');
  return { kind, host, port: port(name, Number(parts[3])), path: '' };
}

/** Names are not resolved: a sidecar listens on addresses, and a resolver would make its start depend on one. */
function hostOf(name: string, host: string): string {
  const address = host === 'localhost' ? '127.0.0.1' : host;
  const version = isIP(address);
  if (version === 0 || address.includes('%')) throw bad(name, `"${host}" is no IP address`);
  // As the kernel writes it: that is what a listener of the version before is compared with.
  return version === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** The other container has a working directory of its own, and abstract names have neither permissions nor a rename. */
function pathOf(name: string, path: string): string {
  if (!path.startsWith('/')) throw bad(name, `"${path}" is no absolute path`);
  return path;
}

function port(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw bad(name, `port ${value} is not from 0 to 65535`);
  return value;
}

function bad(name: string, problem: string): AgentError {
  return new AgentError('BAD_ADDRESS', `listener "${name}": ${problem}`, { hint: 'See ListenerSpec.' });
}
