import { beforeEach, describe, expect, test } from '@jest/globals';
import { RecordingEventApi } from '../../test/recording-event-api.js';
import { ManualClock } from '../manual-clock.js';
import { EventRecorder, type EventRecorderOptions } from './event-recorder.js';

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'shop',
  name: 'web',
  uid: 'u1',
  fieldPath: 'spec.containers{mesh-1}',
};
const SET = { apiVersion: 'apps.kruise.io/v1beta1', kind: 'SidecarSet', name: 'mesh', uid: 'u2' };
const DONE = { type: 'Normal', reason: 'Upgraded', message: 'mesh-1 runs v2' } as const;

let clock: ManualClock;
let api: RecordingEventApi;
let dropped: string[];
let recorder: EventRecorder;

const newRecorder = (options: Partial<EventRecorderOptions> = {}) =>
  new EventRecorder({
    api: api.asKubeApi(),
    component: 'sidestep-planner',
    instance: 'planner-0',
    clock,
    random: () => 0,
    onDropped: (why) => dropped.push(why),
    ...options,
  });

beforeEach(() => {
  clock = new ManualClock();
  api = new RecordingEventApi();
  dropped = [];
  recorder = newRecorder();
});

describe('an Event', () => {
  test('about a pod is in its namespace and names the container', async () => {
    recorder.record(POD, DONE);
    await recorder.flush();
    expect(api.created).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: expect.stringMatching(/^web\.[0-9a-f]+$/), namespace: 'shop' },
        involvedObject: POD,
        type: 'Normal',
        reason: 'Upgraded',
        message: 'mesh-1 runs v2',
        source: { component: 'sidestep-planner' },
        reportingComponent: 'sidestep-planner',
        reportingInstance: 'planner-0',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  test('about a cluster-scoped object is in the namespace default, its object in none', async () => {
    recorder.record(SET, DONE);
    await recorder.flush();
    expect(api.created).toMatchObject([{ metadata: { namespace: 'default' }, involvedObject: SET }]);
    expect(api.created[0]?.involvedObject).not.toHaveProperty('namespace');
  });

  test('has a name and a message of lengths that the API server takes', async () => {
    recorder.record({ ...SET, name: 'n'.repeat(253) }, { ...DONE, message: 'm'.repeat(2000) });
    await recorder.flush();
    const [event] = api.created as [{ metadata: { name: string }; message: string }];
    expect(event.metadata.name.length).toBeLessThanOrEqual(253);
    expect(event.message).toHaveLength(1024);
  });

  test('has another name each time', async () => {
    for (let i = 0; i < 5; i++) recorder.record(SET, { ...DONE, message: String(i) });
    await recorder.flush();
    expect(new Set(api.created.map((event) => (event.metadata as { name: string }).name)).size).toBe(5);
  });
});

describe('the same Event again', () => {
  test('raises the count of the first', async () => {
    for (let i = 0; i < 3; i++) {
      recorder.record(SET, DONE);
      await recorder.flush();
      await clock.advance(1000);
    }
    expect(api.created).toHaveLength(1);
    expect(api.patched.map(([, patch]) => patch)).toEqual([
      { count: 2, lastTimestamp: '2026-01-01T00:00:01Z' },
      { count: 3, lastTimestamp: '2026-01-01T00:00:02Z' },
    ]);
  });

  test('is a new one when the text, the object or the container differs', async () => {
    recorder.record(POD, DONE);
    recorder.record(POD, { ...DONE, reason: 'Other' });
    recorder.record(POD, { ...DONE, message: 'other' });
    recorder.record({ ...POD, uid: 'another' }, DONE);
    recorder.record({ ...POD, fieldPath: 'spec.containers{mesh-2}' }, DONE);
    await recorder.flush();
    expect([api.created.length, api.patched.length]).toEqual([5, 0]);
  });

  test('is a new one after the time of counting together', async () => {
    recorder.record(SET, DONE);
    await recorder.flush();
    await clock.advance(600_000);
    recorder.record(SET, DONE);
    await recorder.flush();
    expect([api.created.length, api.patched.length]).toEqual([2, 0]);
  });

  test('is a new one when the API server has dropped the first', async () => {
    recorder.record(SET, DONE);
    await recorder.flush();
    api.failWith = 404;
    recorder.record(SET, DONE);
    await recorder.flush();
    expect([api.created.length, api.patched.length]).toEqual([2, 0]);
  });
});

describe('too many Events', () => {
  test('about one object stop after a burst and trickle after; other objects are heard', async () => {
    for (let i = 0; i < 30; i++) recorder.record(SET, { ...DONE, message: String(i) });
    recorder.record(POD, DONE);
    await recorder.flush();
    expect([api.created.length, dropped.length]).toEqual([26, 5]);
    await clock.advance(300_000);
    recorder.record(SET, { ...DONE, message: 'later' });
    recorder.record(SET, { ...DONE, message: 'too soon' });
    await recorder.flush();
    expect([api.created.length, dropped.length]).toEqual([27, 6]);
  });

  test('for the API server to keep up with are dropped', async () => {
    recorder = newRecorder({ queueLimit: 2, burst: 100 });
    for (let i = 0; i < 6; i++) recorder.record(SET, { ...DONE, message: String(i) });
    await recorder.flush();
    // The first is on its way and waits no more.
    expect([api.created.length, dropped]).toEqual([3, ['queueFull', 'queueFull', 'queueFull']]);
  });
});

describe('Events that may be late', () => {
  const late = (count: number): void => {
    for (let i = 0; i < count; i++) recorder.record({ ...POD, name: `web-${i}`, uid: `u${i}` }, DONE, 'late');
  };

  beforeEach(() => {
    recorder = newRecorder({ qps: 2 });
  });

  test('are written at their pace after a burst, with the time at which they happened', async () => {
    late(14);
    await clock.advance(0);
    expect(api.created).toHaveLength(10);
    await clock.advance(1_000);
    expect(api.created).toHaveLength(12);
    await clock.advance(1_000);
    expect(api.created).toHaveLength(14);
    expect(new Set(api.created.map(({ firstTimestamp }) => firstTimestamp))).toEqual(new Set(['2026-01-01T00:00:00Z']));
  });

  test('hold up nothing that may not', async () => {
    late(20);
    recorder.record(SET, DONE);
    await clock.advance(0);
    expect(api.created).toContainEqual(expect.objectContaining({ involvedObject: SET }));
  });

  test('make room for what may not, when too many wait', async () => {
    recorder = newRecorder({ qps: 1, queueLimit: 4 });
    late(9);
    await clock.advance(0);
    for (let i = 0; i < 3; i++) recorder.record(SET, { ...DONE, message: String(i) });
    await recorder.flush();
    const sets = api.created.filter(({ involvedObject }) => (involvedObject as { kind: string }).kind === 'SidecarSet');
    expect(sets).toHaveLength(3);
    expect(dropped).toContain('queueFull');
  });

  test('are dropped beyond a thousand that wait: most of ten thousand at once', async () => {
    recorder = newRecorder();
    late(10_000);
    expect(new Set(dropped)).toEqual(new Set(['queueFull']));
    await recorder.flush();
    expect([api.created.length, dropped.length]).toEqual([1_000, 9_000]);
  });

  test('are heard again after there was no room for one', async () => {
    recorder = newRecorder({ qps: 1, queueLimit: 2 });
    for (let i = 0; i < 3; i++) recorder.record(SET, { ...DONE, message: String(i) });
    late(1);
    expect(dropped).toEqual(['queueFull']);
    await recorder.flush();
    late(1);
    await clock.advance(0);
    expect(api.created).toHaveLength(4);
  });

  test('are all written when the process ends', async () => {
    late(40);
    await recorder.flush();
    expect(api.created).toHaveLength(40);
  });

  test('are lost when the process ends and the API server takes too long for them', async () => {
    late(40);
    await clock.advance(0);
    api.slow = { clock, ms: 100 };
    const flushed = recorder.flush(1_050);
    await clock.advance(1_200);
    await flushed;
    expect([api.created.length, dropped.length]).toEqual([21, 19]);
    expect(new Set(dropped)).toEqual(new Set(['ended']));
  });

  test('are heard again after a flush, at their pace', async () => {
    late(40);
    await recorder.flush();
    late(1);
    recorder.record({ ...POD, uid: 'another' }, DONE, 'late');
    await clock.advance(10_000);
    expect([api.created.length, api.patched.length]).toEqual([41, 1]);
  });
});

describe('an API server that does not answer', () => {
  beforeEach(() => {
    api.slow = { clock, ms: 30_000 };
  });

  /** Ends the wait for the Event on its way, then has another one noted. */
  const giveUp = async (): Promise<void> => {
    recorder.record(SET, DONE);
    await clock.advance(0);
    let ended = false;
    const flushed = recorder.flush(3_000).then(() => {
      ended = true;
    });
    await clock.advance(2_999);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(ended).toBe(true);
    await flushed;
    api.slow = undefined;
    recorder.record(POD, DONE);
  };

  test('does not hold up the end of the process, and is told the rest when it answers', async () => {
    await giveUp();
    await clock.advance(27_000);
    expect([api.created.length, dropped]).toEqual([2, []]);
  });

  test('may refuse after the wait for it has ended: the Event is lost, the next one is not', async () => {
    await giveUp();
    api.failWith = 500;
    await clock.advance(27_000);
    expect(dropped).toEqual(['failed']);
    expect(api.created).toMatchObject([{ involvedObject: POD }]);
  });
});

test('a recorder never throws: an Event that cannot be written is lost, the next one is not', async () => {
  recorder = newRecorder({
    onDropped: (why) => {
      dropped.push(why);
      throw new Error('the listener fails too');
    },
  });
  api.failWith = 500;
  recorder.record(SET, DONE);
  recorder.record(POD, DONE);
  await recorder.flush();
  expect(dropped).toEqual(['failed']);
  expect(api.created).toMatchObject([{ involvedObject: POD }]);
});
