import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the configuration of one Envoy under test has beside its label. */
export interface EnvoyPlan {
  label: string;
  /** Ports of 127.0.0.1. */
  ports: number[];
  upstreamPort?: number;
  reusePort?: boolean;
  /** Files of a certificate; then all listeners speak TLS. */
  tls?: { certificate: string; key: string };
  /** Ports of a UDP proxy: where it listens, where it sends to. */
  udp?: { port: number; to: number };
  /** A file from which Envoy reads more listeners, and again whenever it is replaced. */
  lds?: string;
  /** Listeners that only a control plane knows, which never answers: the upstream speaks no gRPC. */
  waitsForListeners?: boolean;
  /** Path of a Unix listener. */
  pipe?: string;
}

const HTTP = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
const BUFFER = 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer';
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const UDP_PROXY = 'type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig';
const UDP_ROUTE = 'type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route';

const at = (port: number, protocol = 'TCP') => ({
  socket_address: { address: '127.0.0.1', port_value: port, protocol },
});

/** One HTTP listener as Envoy's API has it: every answer is the label, `/held` goes to the upstream. */
export function httpListener(address: object, plan: Omit<EnvoyPlan, 'ports'>): object {
  const { label, reusePort, tls } = plan;
  const files = { certificate_chain: { filename: tls?.certificate }, private_key: { filename: tls?.key } };
  return {
    name: JSON.stringify(address),
    address,
    ...(reusePort === undefined ? {} : { enable_reuse_port: reusePort }),
    filter_chains: [
      {
        ...(tls
          ? {
              transport_socket: {
                name: 'tls',
                typed_config: {
                  '@type': TLS,
                  common_tls_context: { alpn_protocols: ['h2', 'http/1.1'], tls_certificates: [files] },
                },
              },
            }
          : {}),
        filters: [{ name: 'http', typed_config: connectionManager(label) }],
      },
    ],
  };
}

function connectionManager(label: string): object {
  return {
    '@type': HTTP,
    stat_prefix: 'web',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { path: '/held' }, route: { cluster: 'upstream', timeout: '0s' } },
            { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: label } } },
          ],
        },
      ],
    },
    // Without it an answer comes before the body of a POST was read, and then Envoy closes the connection.
    http_filters: [
      { name: 'buffer', typed_config: { '@type': BUFFER, max_request_bytes: 65_536 } },
      { name: 'router', typed_config: { '@type': ROUTER } },
    ],
  };
}

function udpListener({ port, to }: { port: number; to: number }): object[] {
  const listener = {
    name: 'udp',
    address: at(port, 'UDP'),
    listener_filters: [
      {
        name: 'udp',
        typed_config: {
          '@type': UDP_PROXY,
          stat_prefix: 'udp',
          matcher: {
            on_no_match: { action: { name: 'route', typed_config: { '@type': UDP_ROUTE, cluster: `udp-${to}` } } },
          },
        },
      },
    ],
  };
  return [listener];
}

function cluster(name: string, address: object): object {
  return {
    name,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

function listenerDiscovery(plan: EnvoyPlan): object {
  if (plan.lds) return { dynamic_resources: { lds_config: { path_config_source: { path: plan.lds } } } };
  if (!plan.waitsForListeners) return {};
  const grpc = {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'upstream' } }],
  };
  return { dynamic_resources: { lds_config: { api_config_source: grpc, initial_fetch_timeout: '0s' } } };
}

/** What a file for `lds` holds. Moved into place, which is what Envoy watches for. */
export function writeListeners(path: string, plans: EnvoyPlan[]): void {
  const resources = plans.flatMap((plan) =>
    plan.ports.map((port) => ({
      '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
      ...httpListener(at(port), plan),
    })),
  );
  writeFileSync(`${path}.next`, JSON.stringify({ resources }));
  renameSync(`${path}.next`, path);
}

/** Writes the configuration; Envoy reads JSON as well as YAML. Returns its path. */
export function writeEnvoyConfig(directory: string, plan: EnvoyPlan): string {
  const path = join(directory, `config-${plan.label}.json`);
  const listeners = plan.ports.map((port) => httpListener(at(port), plan));
  if (plan.pipe) listeners.push(httpListener({ pipe: { path: plan.pipe } }, plan));
  if (plan.udp) listeners.push(...udpListener(plan.udp));
  const clusters = plan.upstreamPort === undefined ? [] : [cluster('upstream', at(plan.upstreamPort))];
  if (plan.udp) clusters.push(cluster(`udp-${plan.udp.to}`, at(plan.udp.to, 'UDP')));
  const config = {
    node: { id: plan.label, cluster: 'test' },
    static_resources: { listeners, clusters },
    ...listenerDiscovery(plan),
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
