/** What differs between the adapters in a Containerfile and a SidecarSet. */
export interface Recipe {
  /** Lines of the Containerfile that bring the program and its configuration. */
  install: string[];
  /** Options of `run` beside --adapter. */
  options: string[];
  command: string[];
  /** Longest drain, in seconds; the pod's grace period has to be 2 s longer. */
  drainSeconds: number;
  /** What to write into the program's own configuration, and what it cannot do. */
  notes: string[];
}

const debian = (name: string): string =>
  `RUN apt-get update && apt-get install -y --no-install-recommends ${name} && rm -rf /var/lib/apt/lists/*`;

const WEB = ['--listen', 'web=8080'];
const USUAL_DRAIN_SECONDS = 28;

const activation: Recipe = {
  install: ['COPY my-sidecar /usr/local/bin/my-sidecar'],
  options: WEB,
  command: ['my-sidecar'],
  drainSeconds: USUAL_DRAIN_SECONDS,
  notes: [
    'my-sidecar takes descriptor 3 (LISTEN_FDS) and says READY=1 on NOTIFY_SOCKET.',
    'A program that only prints a line when it serves: add --ready log:REGEX.',
  ],
};

const envoy: Recipe = {
  install: [
    'COPY --from=docker.io/envoyproxy/envoy:v1.40.0 /usr/local/bin/envoy /usr/local/bin/envoy',
    'COPY envoy.yaml /etc/envoy.yaml',
  ],
  options: [],
  command: ['envoy', '-c', '/etc/envoy.yaml'],
  drainSeconds: USUAL_DRAIN_SECONDS,
  notes: ['Listeners need no --listen: the agent owns whatever Envoy opens.'],
};

const envoyRestart: Recipe = {
  ...envoy,
  notes: [
    'Without --listen: this Envoy opens its sockets and hands them over by itself. Both containers share /dev/shm, as in any pod.',
  ],
};

const nginx: Recipe = {
  install: [debian('nginx'), 'COPY nginx.conf /etc/nginx/nginx.conf'],
  options: [...WEB, '--ready', 'unix:/run/sidestep-ready.sock'],
  command: ['nginx', '-c', '/etc/nginx/nginx.conf'],
  drainSeconds: USUAL_DRAIN_SECONDS,
  notes: [
    'nginx.conf: listen 8080;   the same addresses as --listen, without reuseport',
    '            server { listen unix:/run/sidestep-ready.sock; access_log off; return 204; }   by which the agent sees that it serves',
    '            keepalive_min_timeout 10s;   from nginx 1.27.4 on; older ones cut idle keep-alive connections when they leave',
  ],
};

const haproxy: Recipe = {
  install: [debian('haproxy'), 'COPY haproxy.cfg /etc/haproxy/haproxy.cfg'],
  options: WEB,
  command: ['haproxy', '-f', '/etc/haproxy/haproxy.cfg'],
  drainSeconds: USUAL_DRAIN_SECONDS,
  notes: [
    'haproxy.cfg: bind "fd@$SIDESTEP_FD_WEB"   instead of an address, for each --listen',
    '             hard-stop-after 28s          in the global section; close-spread-time is 2s unless you say otherwise',
  ],
};

const mosn: Recipe = {
  install: ['COPY mosn /usr/local/bin/mosn', 'COPY mosn.json /etc/mosn.json'],
  options: [],
  command: ['mosn', 'start', '-c', '/etc/mosn.json'],
  drainSeconds: 40,
  notes: [
    'mosn.json: "uds_dir": "/run/sidestep"          which both containers share',
    '           "inherit_old_mosnconfig": false     with true the new version runs the configuration of the old one',
    '           its log on standard output: the agent reads there that it serves',
    'MOSN decides by itself when the old one leaves: 37 s after it was succeeded.',
  ],
};

const exec: Recipe = {
  install: ['COPY my-sidecar /usr/local/bin/my-sidecar'],
  options: WEB,
  command: ['my-sidecar'],
  drainSeconds: USUAL_DRAIN_SECONDS,
  notes: [
    'my-sidecar opens its sockets itself, so connections are refused from the stop of the old one to the start of the new one.',
  ],
};

export const RECIPES: Record<string, Recipe> = {
  activation,
  envoy,
  'envoy-restart': envoyRestart,
  nginx,
  haproxy,
  mosn,
  exec,
};
