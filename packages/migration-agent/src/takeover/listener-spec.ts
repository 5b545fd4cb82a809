import { isIP } from 'node:net';
import { AgentError } from '../errors.js';
import type { ListenerPlan } from '../native/listener.js';
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
  if ('path' in spec) return { ...base, kind: 'unix', path: spec.path, backlog };
  const host = hostOf(name, spec.host ?? base.host);
  const kind = spec.udp === true ? 'udp' : 'tcp';
  return { ...base, kind, host, port: port(name, spec.port), backlog, ipv6Only: spec.ipv6Only === true };
}

/** One item of `--listen`: `NAME=ADDRESS`. @throws TypeError, AgentError `BAD_ADDRESS`. */
export function listenerPlanOf(item: string): ListenerPlan {
  const [name, ...address] = item.split('=');
  if (!name || address.length === 0) throw new TypeError(`--listen is "${item}"; allowed is NAME=ADDRESS`);
  const text = address.join('=');
  return planListener(name, /^\d+$/.test(text) ? Number(text) : text);
}

function fromText(name: string, spec: string): Pick<ListenerPlan, 'kind' | 'host' | 'port' | 'path'> {
  if (spec.startsWith('unix:')) return { kind: 'unix', host: '', port: 0, path: spec.slice(5) };
  const kind = spec.startsWith('udp:') ? 'udp' : 'tcp';
  const parts = /^(?:(?:udp|tcp):)?(?:\[([^\]]+)\]:|([^:]*):)?(\d+)$/.exec(spec);
  if (!parts) throw bad(name, `"${spec}" is none of: 8080, 127.0.0.1:8080, [::]:8080, udp:0.0.0.0:53, unix:/path`);
  const host = hostOf(name, parts[1] || parts[2] || '0.0.0.0');
  return { kind, host, port: port(name, Number(parts[3])), path: '' };
}

/** Names are not resolved: a sidecar listens on addresses, and a resolver would make its start depend on one. */
function hostOf(name: string, host: string): string {
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(address) === 0) throw bad(name, `"${host}" is no IP address`);
  return address;
}

function port(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 65535) throw bad(name, `port ${value} is not from 0 to 65535`);
  return value;
}

function bad(name: string, problem: string): AgentError {
  return new AgentError('BAD_ADDRESS', `listener "${name}": ${problem}`, { hint: 'See ListenerSpec.' });
}
