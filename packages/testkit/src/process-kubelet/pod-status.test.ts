import { describe, expect, test } from '@jest/globals';
import type { ContainerRecord } from './container-record.js';
import type { ContainerSpec, PodObject, PodStatus } from './pod-spec.js';
import { podStatus, type StartFailure } from './pod-status.js';

const record = (name: string, more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  name,
  containerID: `process://${name}-1`,
  image: `${name}:1`,
  imageID: `sha256:${name}1`,
  statusImage: `${name}:1`,
  restartCount: 0,
  startedAtMs: Date.parse('2026-01-02T03:04:05.678Z'),
  pid: 100,
  ...more,
});
const over = (exitCode: number) => ({
  exit: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    finishedAtMs: Date.parse('2026-01-02T03:05:00.999Z'),
  },
});

interface Scene {
  containers?: ContainerSpec[];
  initContainers?: ContainerSpec[];
  records?: ContainerRecord[];
  failures?: Record<string, StartFailure>;
  unready?: string[];
  previous?: PodStatus;
  nowMs?: number;
  pod?: Partial<PodObject>;
  gates?: string[];
}

function statusOf(scene: Scene): PodStatus {
  const containers = scene.containers ?? [{ name: 'app', image: 'app:1' }];
  const pod: PodObject = {
    metadata: { name: 'p', namespace: 'd', uid: 'u' },
    spec: {
      containers,
      ...(scene.initContainers ? { initContainers: scene.initContainers } : {}),
      ...(scene.gates ? { readinessGates: scene.gates.map((conditionType) => ({ conditionType })) } : {}),
    },
    ...scene.pod,
  };
  return podStatus({
    pod,
    snapshot: { takenAtMs: 0, records: scene.records ?? [] },
    verdicts: { hasStarted: () => true, mustRestart: () => undefined },
    isReady: ({ name }) => !scene.unready?.includes(name),
    failures: new Map(Object.entries(scene.failures ?? {})),
    previous: scene.previous ?? {},
    podIP: '127.77.0.1',
    hostIP: '127.0.0.1',
    startedAtMs: 0,
    nowMs: scene.nowMs ?? 0,
  });
}

const condition = (status: PodStatus, type: string) => status.conditions?.find((each) => each.type === type);

describe('the status of a container', () => {
  test('that runs has its own id, and times of whole seconds', () => {
    const [status] = statusOf({ records: [record('app')] }).containerStatuses!;
    expect(status).toEqual({
      name: 'app',
      image: 'app:1',
      imageID: 'sha256:app1',
      containerID: 'process://app-1',
      restartCount: 0,
      ready: true,
      started: true,
      state: { running: { startedAt: '2026-01-02T03:04:05Z' } },
      lastState: {},
    });
  });

  test('whose new image cannot be pulled keeps the id, the image and the count of the old one', () => {
    const [status] = statusOf({
      containers: [{ name: 'app', image: 'absent:1' }],
      records: [record('app', { restartCount: 3, ...over(143) })],
      failures: { app: { reason: 'ErrImagePull', message: 'not found' } },
    }).containerStatuses!;
    expect(status).toMatchObject({
      image: 'app:1',
      imageID: 'sha256:app1',
      containerID: 'process://app-1',
      restartCount: 3,
      ready: false,
      state: { waiting: { reason: 'ErrImagePull', message: 'not found' } },
      lastState: { terminated: { exitCode: 143, reason: 'Error', finishedAt: '2026-01-02T03:05:00Z' } },
    });
  });

  test('that ended shows as terminated until a start of it failed', () => {
    const [status] = statusOf({ records: [record('app', over(1))] }).containerStatuses!;
    expect(status?.state.terminated?.exitCode).toBe(1);
    expect(status?.ready).toBe(false);
  });

  test('that was restarted tells how the one before it ended', () => {
    const records = [record('app', { restartCount: 1 }), record('app', { containerID: 'process://app-0', ...over(0) })];
    const [status] = statusOf({ records }).containerStatuses!;
    expect(status?.lastState.terminated).toMatchObject({ containerID: 'process://app-0', reason: 'Completed' });
  });

  test.each([
    [undefined, 'ContainerCreating'],
    [[{ name: 'init', image: 'init:1' }], 'PodInitializing'],
  ] as [ContainerSpec[] | undefined, string][])(
    'that was never started waits (init containers: %j)',
    (init, reason) => {
      const [status] = statusOf(init ? { initContainers: init } : {}).containerStatuses!;
      expect(status).toMatchObject({ state: { waiting: { reason } }, imageID: '', restartCount: 0, ready: false });
    },
  );

  test('a finished init container is ready, one that runs is not', () => {
    const initContainers = [{ name: 'init', image: 'init:1' }];
    expect(statusOf({ initContainers, records: [record('init', over(0))] }).initContainerStatuses![0]?.ready).toBe(
      true,
    );
    expect(statusOf({ initContainers, records: [record('init')] }).initContainerStatuses![0]?.ready).toBe(false);
  });
});

describe('the conditions of a pod', () => {
  const both = {
    containers: [
      { name: 'app', image: 'app:1' },
      { name: 'side', image: 'side:1' },
    ],
  };
  const records = [record('app'), record('side')];

  test('name the containers that are not ready', () => {
    const status = statusOf({ ...both, records, unready: ['side'] });
    expect(condition(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [side]',
    });
  });

  test('keep their transition time while their status stays, and take a new one when it turns', () => {
    const first = statusOf({ ...both, records, nowMs: 1_000 });
    const same = statusOf({ ...both, records, previous: first, nowMs: 60_000 });
    expect(condition(same, 'Ready')?.lastTransitionTime).toBe('1970-01-01T00:00:01Z');
    const turned = statusOf({ ...both, records, previous: same, unready: ['app'], nowMs: 61_000 });
    expect(condition(turned, 'Ready')?.lastTransitionTime).toBe('1970-01-01T00:01:01Z');
    expect(condition(turned, 'Initialized')?.lastTransitionTime).toBe('1970-01-01T00:00:01Z');
  });

  test('wait for readiness gates that others set', () => {
    const gates = ['example.com/ok'];
    expect(condition(statusOf({ records: [record('app')], gates }), 'Ready')?.reason).toBe('ReadinessGatesNotReady');
    const pod = { status: { conditions: [{ type: 'example.com/ok', status: 'True' }] } };
    expect(condition(statusOf({ records: [record('app')], gates, pod }), 'Ready')?.status).toBe('True');
  });

  test('say that an init container is not through', () => {
    const status = statusOf({ initContainers: [{ name: 'init', image: 'init:1' }] });
    expect(condition(status, 'Initialized')).toMatchObject({ status: 'False', reason: 'ContainersNotInitialized' });
    expect(status.phase).toBe('Pending');
  });
});

test.each([
  ['Pending', {}],
  ['Running', { records: [record('app')] }],
  ['Running', { records: [record('app', over(1))] }],
] as [string, Scene][])('a pod is %s', (phase, scene) => {
  expect(statusOf(scene).phase).toBe(phase);
});
