import path from 'node:path';
import type { Pod, SidecarSet } from '@sidestep/core';

/** Where the demo's programs are, relative to the checkout. */
export interface Programs {
  meshProxy: string;
  demoApp: string;
  agent: string;
}

export const NAMESPACE = 'shop';
export const SET_NAME = 'mesh';
export const EMPTY_DIGEST = '5e'.repeat(32);
export const EMPTY_IMAGE = `sidestep/custodian:1@sha256:${EMPTY_DIGEST}`;
export const image = (version: string): string => `mesh:${version}`;

/** Image name to the process that runs when a container of that image starts. */
export type ImageCatalogue = Record<string, { command: string[]; env?: Record<string, string> }>;

const mesh = (programs: Programs, version: string, env: Record<string, string> = {}) => ({
  command: ['node', programs.meshProxy],
  env: { MESH_VERSION: version, ...env },
});

/** v1 is what the pods start with, v2 the upgrade, v3 the good version that ends a failed one; `absent` is on purpose not here. */
export const catalogueOf = (programs: Programs): ImageCatalogue => ({
  [EMPTY_IMAGE]: { command: ['node', programs.agent, 'custodian'] },
  [image('v1')]: mesh(programs, 'v1'),
  [image('v2')]: mesh(programs, 'v2'),
  [image('v3')]: mesh(programs, 'v3'),
  [image('v2-crashes')]: mesh(programs, 'v2-crashes', { MESH_FAULT: 'crash-after' }),
  [image('v2-crashes-before')]: mesh(programs, 'v2-crashes-before', { MESH_FAULT: 'crash-before' }),
  [image('v2-crashes-ready')]: mesh(programs, 'v2-crashes-ready', { MESH_FAULT: 'crash-ready' }),
  [image('v2-hangs-before')]: mesh(programs, 'v2-hangs-before', { MESH_FAULT: 'hang-before' }),
  [image('v2-hangs-after')]: mesh(programs, 'v2-hangs-after', { MESH_FAULT: 'hang-after' }),
  [image('v2-slow')]: mesh(programs, 'v2-slow', { MESH_FAULT: 'slow' }),
  [image('v2-slower')]: mesh(programs, 'v2-slower', { MESH_FAULT: 'slower' }),
  [image('v2-hangs')]: mesh(programs, 'v2-hangs', { MESH_FAULT: 'hang-ready' }),
  'shop-app:1': { command: ['node', programs.demoApp] },
});

/** One hot sidecar in front of one port of an app. */
export interface MeshSet {
  name: string;
  /** Pods with the label `app: <this>` get it. */
  app: string;
  container: string;
  version: string;
  listenPort: number;
  upstreamPort: number;
  maxUnavailable: number | string;
  /** How long the postStart hook may wait for the take-over; default a minute. */
  hookSeconds?: number;
  /** `updateStrategy.progressDeadlineSeconds`; default 20. */
  deadlineSeconds?: number;
  /** How long a process may go on with its last connections; by default as long as the agent gives it. */
  drainSeconds?: number;
}

export const DEMO_SET: MeshSet = {
  name: SET_NAME,
  app: 'shop',
  container: 'mesh',
  version: 'v1',
  listenPort: 8080,
  upstreamPort: 9090,
  maxUnavailable: 2,
};

const POD_IP = { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } };

const hookOf = ({ hookSeconds }: MeshSet): string[] => [
  'sidestep-agent',
  'hook',
  ...(hookSeconds === undefined ? [] : ['--timeout', String(hookSeconds)]),
];

const drainOf = ({ drainSeconds }: MeshSet): { name: string; value: string }[] =>
  drainSeconds === undefined ? [] : [{ name: 'SIDESTEP_DRAIN_SECONDS', value: String(drainSeconds) }];

/** Aborts a failed pod and begins no other, so that a bad version costs nobody anything. */
export const sidecarSetOf = (mesh: MeshSet): SidecarSet => ({
  apiVersion: 'apps.kruise.io/v1beta1',
  kind: 'SidecarSet',
  metadata: { name: mesh.name },
  spec: {
    selector: { matchLabels: { app: mesh.app } },
    containers: [
      {
        name: mesh.container,
        image: image(mesh.version),
        imagePullPolicy: 'IfNotPresent',
        upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: EMPTY_IMAGE },
        env: [
          POD_IP,
          { name: 'MESH_LISTEN', value: `$(POD_IP):${mesh.listenPort}` },
          { name: 'MESH_UPSTREAM', value: `$(POD_IP):${mesh.upstreamPort}` },
          { name: 'SIDESTEP_DIR', value: '/run/sidestep' },
          ...drainOf(mesh),
        ],
        lifecycle: { postStart: { exec: { command: hookOf(mesh) } } },
        volumeMounts: [{ name: `sidestep-${mesh.container}`, mountPath: '/run/sidestep' }],
      },
    ],
    volumes: [{ name: `sidestep-${mesh.container}`, emptyDir: { medium: 'Memory' } }],
    updateStrategy: {
      maxUnavailable: mesh.maxUnavailable,
      progressDeadlineSeconds: mesh.deadlineSeconds ?? 20,
      failurePolicy: { maxFailures: 0, podAction: 'Abort', action: 'Pause' },
    },
  },
});

export const podOf = (name: string, namespace: string, app: string, node: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app } },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'app',
        image: 'shop-app:1',
        imagePullPolicy: 'IfNotPresent',
        env: [POD_IP, { name: 'APP_LISTEN', value: '$(POD_IP):9090' }],
      },
    ],
  },
});

/** The built programs of this checkout. */
export const programsOf = (root: string): Programs => ({
  meshProxy: path.join(root, 'examples/mesh-proxy/bin/mesh-proxy.mjs'),
  demoApp: path.join(root, 'examples/demo-app/app.mjs'),
  agent: path.join(root, 'packages/migration-agent/bin/sidestep-agent.cjs'),
});
