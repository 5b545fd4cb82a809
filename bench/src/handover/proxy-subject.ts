import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Envoys } from '@sidestep/testkit';

/** `adapter`: under the agent · `cold`: ended, then the next one started, as without an agent. */
export type HowItIsRun = 'adapter' | 'cold';

/** Where one version runs, and how. */
export interface ProxyRoom {
  version: number;
  port: number;
  directory: string;
  how: HowItIsRun;
}

/** A real proxy that answers every request with the number of its version. */
export interface ProxySubject {
  name: string;
  adapter: string;
  /** Requests on kept-alive connections that are on their way when the old one leaves are not lost either. */
  keepsConnections: boolean;
  /** Those that it has just accepted when it leaves are lost. */
  dropsNewConnections?: true;
  /** Options of `sidestep-agent run` beside --adapter. */
  options(port: number): string[];
  command(room: ProxyRoom): string[];
  env?(room: ProxyRoom): Record<string, string>;
  /** It takes its socket as descriptor 3, and binds none. */
  activated?: true;
}

const HTTP = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const BUFFER = 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

export const envoySubject = (envoys: Envoys): ProxySubject => ({
  name: 'Envoy 1.36 <-> 1.40',
  adapter: 'envoy',
  keepsConnections: true,
  options: () => [],
  command: (room) => {
    const envoy = room.version % 2 === 0 ? envoys.older : envoys.newer;
    const alone = room.how === 'cold' ? ['--disable-hot-restart'] : [];
    return [envoy, '-c', envoyConfiguration(room), '-l', 'off', '--concurrency', '2', ...alone];
  },
});

function envoyConfiguration({ version, port, directory }: ProxyRoom): string {
  const answer = { status: 200, body: { inline_string: String(version) } };
  const manager = {
    '@type': HTTP,
    stat_prefix: 'web',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: answer }] }],
    },
    // Without the buffer an answer comes before the body of a POST was read, and then Envoy closes the connection.
    http_filters: [
      { name: 'buffer', typed_config: { '@type': BUFFER, max_request_bytes: 65_536 } },
      { name: 'router', typed_config: { '@type': ROUTER } },
    ],
  };
  const listener = {
    name: 'web',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
  const text = JSON.stringify({ static_resources: { listeners: [listener] } });
  return written(directory, `envoy-${version}.json`, text);
}

const listenOn = (port: number): string[] => ['--listen', `web=127.0.0.1:${port}`];

export const nginxSubject = (program: string): ProxySubject => ({
  name: 'nginx',
  adapter: 'nginx',
  keepsConnections: false,
  options: listenOn,
  command: ({ version, port, directory }) => {
    const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const file = written(
      directory,
      `nginx-${version}.conf`,
      `daemon off; worker_processes 2; pid ${directory}/nginx-${version}.pid;
       events { worker_connections 512; }
       http {
         access_log off;
         keepalive_requests 1000000;
         ${scratch.map((what) => `${what}_temp_path ${directory}/${what};`).join(' ')}
         server { listen 127.0.0.1:${port}; location / { return 200 ${version}; } }
       }`,
    );
    return [program, '-e', 'stderr', '-c', file];
  },
});

export const haproxySubject = (program: string): ProxySubject => ({
  name: 'HAProxy',
  adapter: 'haproxy',
  keepsConnections: false,
  options: listenOn,
  command: ({ version, port, directory, how }) => {
    const bind = how === 'adapter' ? 'fd@3' : `127.0.0.1:${port}`;
    const lines = [
      'global',
      '  maxconn 1000',
      'defaults',
      '  mode http',
      '  timeout client 30s',
      '  timeout server 30s',
      '  timeout connect 2s',
      'frontend main',
      `  bind ${bind}`,
      `  http-request return status 200 content-type text/plain string ${version}`,
    ];
    return [program, '-db', '-f', written(directory, `haproxy-${version}.cfg`, `${lines.join('\n')}\n`)];
  },
});

/** The server of `examples/socket-activation/go`. */
export const goSubject = (program: string): ProxySubject => ({
  name: 'Go, socket activation',
  adapter: 'activation',
  keepsConnections: true,
  options: listenOn,
  command: () => [program],
  env: ({ version }) => ({ VERSION: String(version) }),
  activated: true,
});

/** Caddy with the configuration of `examples/socket-activation/caddy`. */
export const caddySubject = (program: string, root: string): ProxySubject => ({
  name: 'Caddy, socket activation',
  adapter: 'activation',
  keepsConnections: true,
  dropsNewConnections: true,
  options: listenOn,
  command: () => {
    const config = path.join(root, 'examples/socket-activation/caddy/Caddyfile');
    return [program, 'run', '--adapter', 'caddyfile', '--config', config];
  },
  env: ({ version, directory }) => ({
    VERSION: String(version),
    XDG_DATA_HOME: directory,
    XDG_CONFIG_HOME: directory,
  }),
  activated: true,
});

function written(directory: string, name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}
