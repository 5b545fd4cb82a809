// A sidecar that was written for OpenKruise and knows nothing of Sidestep: its protocol, its hook and its exit codes as they are.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Pod, SidecarSet } from '@sidestep/core';
import { leaveOut } from '@sidestep/testkit';
import { ask } from '../platform/ask.js';
import { until } from '../platform/service.js';
import { workingVersion } from '../world/pod-row.js';
import { World } from '../world/world.js';
import { ROOT, tidyUp } from './journey.js';

const MINUTES = 60_000;
const NODE = 'sample-node';
const NAMESPACE = 'sample';
const PORT = 9091;
const SAMPLE = path.join(ROOT, 'e2e/src/journeys/openkruise-sample');
const CONTAINER = 'sidecar';

const imageOf = (version: string): string => `openkruise-sample:${version}`;
const POD_IP = { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } };

/** As in OpenKruise's documentation: no volume of Sidestep's, no agent, no failure policy but the abort. */
const sampleSet: SidecarSet = {
  apiVersion: 'apps.kruise.io/v1beta1',
  kind: 'SidecarSet',
  metadata: { name: 'sample' },
  spec: {
    selector: { matchLabels: { app: 'sample' } },
    containers: [
      {
        name: CONTAINER,
        image: imageOf('v1'),
        imagePullPolicy: 'IfNotPresent',
        upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: imageOf('empty') },
        env: [
          POD_IP,
          { name: 'SAMPLE_PORT', value: String(PORT) },
          { name: 'MIGRATE_SOCKET', value: '/dev/shm/migrate.sock' },
        ],
        lifecycle: { postStart: { exec: { command: ['sh', path.join(SAMPLE, 'migrate.sh')] } } },
        // The containers of a real pod share /dev/shm by themselves; those of the process kubelet by this volume.
        volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
      },
    ],
    volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }],
    updateStrategy: {
      maxUnavailable: 1,
      progressDeadlineSeconds: 300,
      failurePolicy: { maxFailures: 0, podAction: 'Abort', action: 'Pause' },
    },
  },
};

const podNamed = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels: { app: 'sample' } },
  spec: {
    nodeName: NODE,
    terminationGracePeriodSeconds: 5,
    containers: [{ name: 'app', image: 'idle:1', imagePullPolicy: 'IfNotPresent' }],
  },
});

const images = {
  'idle:1': { command: ['sleep', '3600'] },
  ...Object.fromEntries(
    ['empty', 'v1', 'v2', 'v3-crashes'].map((version) => [
      imageOf(version),
      { command: ['python3', path.join(SAMPLE, 'sidecar.py')], env: { SAMPLE_VERSION: version } },
    ]),
  ),
};

/** New connections, one after another, to every pod until stopped; counts who answered and who did not. */
class Clients {
  readonly answers = new Map<string, number>();
  readonly lost: string[] = [];
  #running = true;
  readonly #loops: Promise<void>[];

  constructor(hosts: readonly string[]) {
    this.#loops = hosts.map((host) => this.#loop(host));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(host: string): Promise<void> {
    while (this.#running) {
      await this.#once(host);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #once(host: string): Promise<void> {
    return new Promise((resolve) => {
      const fail = (error: Error): void => {
        this.lost.push(error.message);
        resolve();
      };
      const sent = get({ host, port: PORT, path: '/serve', agent: false, timeout: 30_000 }, (answer) => {
        let body = '';
        answer.on('data', (chunk) => {
          body += chunk;
        });
        answer.on('error', fail);
        answer.on('end', () => {
          this.answers.set(body, (this.answers.get(body) ?? 0) + 1);
          resolve();
        });
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', fail);
    });
  }
}

function pythonIsMissing(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import socket; socket.recv_fds']);
    return undefined;
  } catch (error) {
    return `python3 (3.9 or newer) is needed: ${(error as Error).message.split('\n')[0]}`;
  }
}

const missing = pythonIsMissing();

describe("a sidecar with the protocol of OpenKruise's sample", () => {
  if (missing) {
    test('is left out of this run, with the reason', () => {
      leaveOut("OpenKruise's sample under Sidestep", missing);
      expect(missing).not.toBe('');
    });
    return;
  }

  let world: World;
  beforeAll(async () => {
    world = await World.start({
      root: ROOT,
      stateDir: mkdtempSync(path.join(tmpdir(), 'sidestep-sample-')),
      workers: 1,
      queue: 'memory',
      images,
      node: NODE,
      kubeletArgs: ['--backoff', '0.05'],
    });
    await world.createNamespace(NAMESPACE);
    await world.createSet(sampleSet);
    await world.createPods([podNamed('pod-1'), podNamed('pod-2')], 5 * MINUTES);
    // Ready alone says that its processes were started.
    const listens = async (host: string) => (await ask({ host, port: PORT, path: '/serve' }, 30_000)).status === 200;
    for (const host of hosts()) await until(() => listens(host), `${host} to answer`, MINUTES);
  }, 10 * MINUTES);
  afterAll(() => tidyUp(world), 5 * MINUTES);

  const versions = (): string[] => world.podsOf(NAMESPACE).map((pod) => workingVersion(pod, CONTAINER));
  const emptied = (): boolean =>
    world
      .podsOf(NAMESPACE)
      .every(
        ({ spec, status }) =>
          spec.containers.some(({ image }) => image === imageOf('empty')) &&
          status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      );
  const hosts = (): string[] => world.podsOf(NAMESPACE).map(({ status }) => String(status?.podIP));

  test(
    'is upgraded hot on every pod: the new one gets the socket, the old one is emptied, and no new connection is lost',
    async () => {
      const clients = new Clients(hosts());
      await world.setImage('sample', imageOf('v2'));
      await until(
        () => (versions().every((version) => version === 'v2') && emptied()) || undefined,
        'v2 everywhere',
        2 * MINUTES,
      );
      const before = clients.answers.get('v2') ?? 0;
      await until(() => (clients.answers.get('v2') ?? 0) > before + 20 || undefined, 'v2 to answer', MINUTES);
      await clients.stop();
      expect(clients.lost).toEqual([]);
      expect([...clients.answers.keys()].sort()).toEqual(['v1', 'v2']);
      await until(() => world.set('sample').status?.updatedPods === 2, 'the SidecarSet to say so', 2 * MINUTES);
    },
    4 * MINUTES,
  );

  test(
    'a version that ends at its start is taken back, and the old one serves on',
    async () => {
      const clients = new Clients(hosts());
      await world.setImage('sample', imageOf('v3-crashes'));
      const degraded = (): true | undefined =>
        world.set('sample').status?.conditions?.some(({ type, status }) => type === 'Degraded' && status === 'True') ||
        undefined;
      await until(degraded, 'the rollout to be degraded', 2 * MINUTES);
      await until(
        () => (versions().every((version) => version === 'v2') && emptied()) || undefined,
        'v2 again',
        2 * MINUTES,
      );
      await clients.stop();
      expect(clients.lost).toEqual([]);
      expect([...clients.answers.keys()]).toEqual(['v2']);
    },
    5 * MINUTES,
  );
});
