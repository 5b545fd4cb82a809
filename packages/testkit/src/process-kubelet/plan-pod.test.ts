import { describe, expect, test } from '@jest/globals';
import type { ContainerRecord, PodSnapshot } from './container-record.js';
import { isInitialized, type ProbeVerdicts, planPod } from './plan-pod.js';
import type { ContainerSpec, PodSpec } from './pod-spec.js';

const CALM: ProbeVerdicts = { hasStarted: () => true, mustRestart: () => undefined };

const container = (name: string, image = `${name}:1`, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name,
  image,
  ...more,
});
const sidecar = (name: string, image?: string) => container(name, image, { restartPolicy: 'Always' });

const record = (name: string, more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  name,
  containerID: `process://${name}`,
  image: `${name}:1`,
  imageID: 'sha256:1',
  statusImage: `${name}:1`,
  restartCount: 0,
  startedAtMs: 0,
  pid: 100,
  ...more,
});
const exited = (name: string, exitCode: number, more: Partial<ContainerRecord> = {}) =>
  record(name, { exit: { exitCode, finishedAtMs: 1, reason: 'x' }, ...more });
const seen = (...records: ContainerRecord[]): PodSnapshot => ({ takenAtMs: 1, records });

const plan = (spec: PodSpec, snapshot: PodSnapshot, verdicts = CALM) => {
  const { kill, start, finished } = planPod(spec, snapshot, verdicts);
  return { kill: kill.map(({ record: { name } }) => name), start: start.map(({ name }) => name), finished };
};

describe('the plan for a pod', () => {
  const two = { containers: [container('app'), container('side')] };

  test.each([
    ['nothing runs yet: all containers in order', two, seen(), [], ['app', 'side']],
    ['all run: nothing', two, seen(record('app'), record('side')), [], []],
    ['one ended: that one alone', two, seen(exited('app', 0), record('side')), [], ['app']],
    [
      'an image changed: that container is ended and started, no other',
      { containers: [container('app', 'app:2'), container('side')] },
      seen(record('app'), record('side')),
      ['app'],
      ['app'],
    ],
    [
      'an image changed while the container was down: started only',
      { containers: [container('app', 'app:2'), container('side')] },
      seen(exited('app', 1), record('side')),
      [],
      ['app'],
    ],
  ] as [string, PodSpec, PodSnapshot, string[], string[]][])('%s', (_, spec, snapshot, kill, start) => {
    expect(plan(spec, snapshot)).toEqual({ kill, start, finished: false });
  });

  test('a container whose liveness or startup probe failed is restarted, and the message says which', () => {
    for (const kind of ['liveness', 'startup'] as const) {
      const verdicts: ProbeVerdicts = { ...CALM, mustRestart: ({ name }) => (name === 'side' ? kind : undefined) };
      const made = planPod(two, seen(record('app'), record('side')), verdicts);
      expect(made.kill.map(({ message }) => message)).toEqual([
        `Container side failed ${kind} probe, will be restarted`,
      ]);
      expect(made.start.map(({ name }) => name)).toEqual(['side']);
    }
  });

  describe('with init containers', () => {
    const spec = { initContainers: [container('one'), container('two')], containers: [container('app')] };

    test.each([
      ['the first alone', seen(), ['one']],
      ['nothing while it runs', seen(record('one')), []],
      ['the same again when it failed', seen(exited('one', 1)), ['one']],
      ['the second after the first', seen(exited('one', 0)), ['two']],
      ['the app after the last', seen(exited('two', 0), exited('one', 0)), ['app']],
      ['no init container once there is an app container', seen(exited('app', 1), exited('one', 1)), ['app']],
    ] as [string, PodSnapshot, string[]][])('starts %s', (_, snapshot, start) => {
      expect(plan(spec, snapshot).start).toEqual(start);
    });
  });

  describe('with a native sidecar', () => {
    const spec = { initContainers: [sidecar('mesh'), container('init')], containers: [container('app')] };
    const starting: ProbeVerdicts = { ...CALM, hasStarted: () => false };

    test('what comes after it waits until it has started', () => {
      expect(plan(spec, seen(record('mesh')), starting).start).toEqual([]);
      expect(plan(spec, seen(record('mesh'))).start).toEqual(['init']);
      expect(isInitialized(spec, seen(record('mesh'), exited('init', 0)), starting)).toBe(false);
      expect(isInitialized(spec, seen(record('mesh'), exited('init', 0)), CALM)).toBe(true);
    });

    test('it is restarted whatever its exit code, also long after the start of the app', () => {
      const running = [record('app'), exited('init', 0)];
      expect(plan(spec, seen(exited('mesh', 0), ...running)).start).toEqual(['mesh']);
    });

    test('its image is changed in place, and the app is left alone', () => {
      const changed = { ...spec, initContainers: [sidecar('mesh', 'mesh:2'), container('init')] };
      const made = plan(changed, seen(record('app'), exited('init', 0), record('mesh')));
      expect(made).toEqual({ kill: ['mesh'], start: ['mesh'], finished: false });
    });

    test('it ends with the last app container of a pod that is not restarted', () => {
      const job = { ...spec, restartPolicy: 'Never' };
      expect(plan(job, seen(exited('app', 0), exited('init', 0), record('mesh')))).toEqual({
        kill: ['mesh'],
        start: [],
        finished: true,
      });
    });
  });

  test.each([
    ['OnFailure', 1, ['app'], false],
    ['OnFailure', 0, [], true],
    ['Never', 1, [], true],
    ['Always', 0, ['app'], false],
  ] as [string, number, string[], boolean][])(
    'restartPolicy %s after exit %i',
    (restartPolicy, code, start, finished) => {
      const spec = { restartPolicy, containers: [container('app')] };
      expect(plan(spec, seen(exited('app', code)))).toEqual({ kill: [], start, finished });
    },
  );
});
