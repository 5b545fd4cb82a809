import { request } from 'node:http';

const ANSWER_MS = 2_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** What Envoy says of itself on its private admin socket. Every question has a deadline; a hung Envoy is a rejection. */
export class EnvoyAdmin {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Everything it needs is initialised, and it is the Envoy of this epoch. False also when nobody answers. */
  async isLive(epoch: number): Promise<boolean> {
    const text = await this.#ask('GET', '/server_info').catch(() => '{}');
    const info = JSON.parse(text) as { state?: string; command_line_options?: { restart_epoch?: number } };
    return info.state === 'LIVE' && (info.command_line_options?.restart_epoch ?? 0) === epoch;
  }

  /** Stops accepting; what answers from now on asks its client to close. @throws Error when nobody answers. */
  async drain(): Promise<void> {
    await this.#ask('POST', '/healthcheck/fail');
    await this.#ask('POST', '/drain_listeners');
  }

  /** Downstream connections of all listeners, also those still in listener filters. @throws Error. */
  async connections(): Promise<number> {
    const text = await this.#ask(
      'GET',
      `/stats?usedonly&filter=${encodeURIComponent('^listener\\..*downstream_(pre_)?cx_active$')}`,
    );
    return sumOfConnections(text);
  }

  /** `host:port`, `[v6]:port` or a path of every active listener. @throws Error. */
  async listeners(): Promise<string[]> {
    return addressesIn(JSON.parse(await this.#ask('GET', '/listeners?format=json')) as ListenerStatuses);
  }

  /** Whether listeners may come and go while Envoy runs. @throws Error. */
  async discoversListeners(): Promise<boolean> {
    return (await this.#ask('GET', `/stats?filter=${encodeURIComponent('^listener_manager\\.lds\\.')}`)).includes(
      'lds.',
    );
  }

  #ask(method: 'GET' | 'POST', path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.path, method, path, timeout: ANSWER_MS, agent: false }, (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MAX_ANSWER_BYTES) asked.destroy(new Error(`${path}: the answer is too long`));
        });
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(body);
          else reject(new Error(`${path}: status ${answer.statusCode}`));
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer`)));
      asked.on('error', reject);
      asked.end();
    });
  }
}

/** The gauges of whole listeners; those of single workers say the same again, and the admin's own connection is this question. */
export function sumOfConnections(text: string): number {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('listener.admin.') && !/\.worker_\d+\.downstream_/.test(line))
    .reduce((sum, line) => sum + (Number(line.split(': ')[1]) || 0), 0);
}

interface SocketAddress {
  socket_address?: { address?: string; port_value?: number };
  pipe?: { path?: string };
}

interface ListenerStatuses {
  listener_statuses?: { local_address?: SocketAddress; additional_local_addresses?: SocketAddress[] }[];
}

function addressesIn({ listener_statuses: statuses = [] }: ListenerStatuses): string[] {
  return statuses
    .flatMap(({ local_address: first, additional_local_addresses: more = [] }) => [...(first ? [first] : []), ...more])
    .flatMap(({ socket_address: ip, pipe }) => {
      if (pipe?.path) return [pipe.path];
      if (!ip?.address || ip.port_value === undefined) return [];
      return [ip.address.includes(':') ? `[${ip.address}]:${ip.port_value}` : `${ip.address}:${ip.port_value}`];
    });
}
