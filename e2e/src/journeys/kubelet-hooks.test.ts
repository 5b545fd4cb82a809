// What a real kubelet does with hooks, commands and signals of a pod's containers, and what Sidestep makes of it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SidecarContainer } from '@sidestep/core';
import { loadKubeConfig } from '@sidestep/kube';
import { ask } from '../platform/ask.js';
import { EMPTY_IMAGE, podOf, sidecarSetOf } from '../world/scenario.js';
import type { World } from '../world/world.js';
import { eventually, given, type Journey, NODE, outcome, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
/** A machine that stands still must not bring it about that an upgrade is aborted or a process killed. */
const PATIENT_SECONDS = 600;

let world: World;
beforeAll(async () => {
  world = await given.aPlatform();
}, 5 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

/** What the kubelet did to the journey's containers since then, as `event container`. */
const doneSince = ({ namespace }: Journey, at: number): string[] =>
  world.platform.kubeletLog.lines
    .filter((line) => line.at >= at && line.pod === `${namespace}/pod-1`)
    .map(({ event, container }) => `${event} ${container}`);

const kubeletHas = (journey: Journey, at: number, what: string): Promise<void> =>
  eventually(world, () => doneSince(journey, at).includes(what), `the kubelet to say "${what}"`);

const statusOf = ({ namespace }: Journey, name: string) =>
  world.podsOf(namespace)[0]!.status?.containerStatuses?.find((status) => status.name === name);

describe('a postStart hook that does not return', () => {
  const returnsOnceThereIs = (file: string) => (container: SidecarContainer) => {
    const wait = `sidestep-agent hook --timeout ${PATIENT_SECONDS} && until [ -e ${file} ]; do sleep 0.05; done`;
    container.lifecycle = { postStart: { exec: { command: ['sh', '-c', wait] } } };
  };

  test(
    'holds back every other container of its pod and all that the kubelet tells; Sidestep waits, and goes on by itself',
    async () => {
      const mayReturn = path.join(world.platform.options.stateDir, 'may-return');
      writeFileSync(mayReturn, '');
      const change = returnsOnceThereIs(mayReturn);
      const journey = await given.aHotSidecar(world, { pods: 1, deadlineSeconds: PATIENT_SECONDS, change });
      rmSync(mayReturn);
      const since = Date.now();
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await kubeletHas(journey, since, 'started mesh-2');
      const app = { namespace: journey.namespace, pod: 'pod-1', container: 'app' };
      await world.platform.kubelet.signal(app, 'SIGKILL');
      await kubeletHas(journey, since, 'exited app');
      // The new one has taken over by then: the program of v2 answers, although the pod still shows the empty image.
      const host = String(world.podsOf(journey.namespace)[0]!.status?.podIP);
      const isServed = async () => (await ask({ host, port: 8080 }, 5_000)).headers['x-mesh-version'] === 'v2';
      await eventually(world, isServed, 'v2 to answer');
      expect(statusOf(journey, 'mesh-2')?.image).toContain('custodian');
      expect(statusOf(journey, 'app')?.restartCount).toBe(0);
      writeFileSync(mayReturn, '');
      await outcome.everyPodRuns(journey, 'v2');
      const told = ['started mesh-2', 'exited app', 'post-start mesh-2', 'started app', 'killing mesh-1'];
      const seen = doneSince(journey, since).filter((line) => told.includes(line));
      expect(seen.slice(0, 4)).toEqual(told.slice(0, 4));
      expect(seen.indexOf('killing mesh-1')).toBeGreaterThan(seen.indexOf('post-start mesh-2'));
      await eventually(world, () => statusOf(journey, 'app')?.restartCount === 1, 'the app to be told as restarted');
    },
    10 * MINUTES,
  );
});

describe('a hot sidecar with a command', () => {
  const COMMAND = ['sleep', '3600'];
  const mesh = { name: 'commanded', app: 'commanded', container: 'side', version: 'v1', maxUnavailable: 1 };

  const setWith = (command: string[] | undefined): object => {
    const set = sidecarSetOf({ ...mesh, listenPort: 8080, upstreamPort: 9090 });
    const { name, image, upgradeStrategy } = set.spec.containers![0]!;
    return { ...set, spec: { ...set.spec, containers: [{ name, image, upgradeStrategy, command }] } };
  };

  /** As any client would; resolves with what it is warned of. */
  const create = async (set: object, dryRun = ''): Promise<string | null> => {
    const { server } = loadKubeConfig({ kubeconfig: world.platform.kubeconfig });
    const url = `${server}/apis/apps.kruise.io/v1beta1/sidecarsets${dryRun}`;
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(set) });
    expect(response.status).toBe(201);
    return response.headers.get('warning');
  };

  test(
    'is accepted with a warning, and its container on stand-by does run the command instead of the empty image',
    async () => {
      expect(await create(setWith(undefined), '?dryRun=All')).toBeNull();
      expect(await create(setWith(COMMAND))).toContain('.command: the empty image of a hot sidecar runs this command');
      await world.createNamespace(mesh.name);
      await world.createPods([podOf('pod-1', mesh.name, mesh.app, NODE)], 2 * MINUTES);
      const running = await world.platform.kubelet.containers();
      const sides = running.filter(({ namespace, container }) => namespace === mesh.name && container !== 'app');
      const commands = sides.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1));
      expect(sides.map(({ image }) => image).sort()).toEqual(['mesh:v1', EMPTY_IMAGE]);
      expect(commands).toEqual([COMMAND, COMMAND]);
    },
    5 * MINUTES,
  );
});

describe('an old container that is told to end while it drains', () => {
  /** A request whose last byte is not sent before `end`; resolves with its status, its answer and who gave it. */
  const slowPost = (host: string) => {
    const request = http.request({ host, port: 8080, method: 'POST', agent: false });
    const answer = new Promise<[number | undefined, string, unknown]>((resolve, reject) => {
      request.once('error', reject).once('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.once('end', () => resolve([response.statusCode, body, response.headers['x-mesh-version']]));
      });
    });
    request.write('begun ');
    // A journey that fails before it looks at the answer has said why.
    answer.catch(() => undefined);
    return { request, answer };
  };

  test(
    'answers what it was asked before it ends, and the new one is not ended with it',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 1, deadlineSeconds: PATIENT_SECONDS });
      const host = String(world.podsOf(journey.namespace)[0]!.status?.podIP);
      await eventually(world, async () => (await ask({ host, port: 8080 }, 5_000)).status === 200, 'the app to answer');
      const { request, answer } = slowPost(host);
      // By now the old one has read the head of that request.
      await given.load(journey, 50);
      const since = Date.now();
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await kubeletHas(journey, since, 'killing mesh-1');
      expect(doneSince(journey, since)).not.toContain('exited mesh-1');
      request.end('and ended');
      expect(await answer).toEqual([200, 'begun and ended', 'v1']);
      await outcome.everyPodRuns(journey, 'v2');
      const told = doneSince(journey, since);
      const ended = told.slice(told.indexOf('killing mesh-1')).filter((line) => line.startsWith('exited'));
      expect(ended).toEqual(['exited mesh-1']);
      expect(world.platform.kubeletLog.deaths().filter(({ atMs }) => atMs >= since)).toEqual([]);
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );
});
