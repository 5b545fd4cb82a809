import { describe, expect, test } from '@jest/globals';
import { toCase } from './golden-case.js';

const NAME = 'mesh-set';
const annotations = { 'kruise.io/sidecarset-hash': '{"mesh-set":{"hash":"a"}}' };

/** A trace with one entry of each kind; `entry` takes the place of the one of its kind, or comes last. */
function traced(...entries: object[]): unknown {
  const containers = [{ name: 'mesh', image: 'mesh:1' }];
  const sidecarSet = { metadata: { name: NAME }, spec: { containers } };
  return { sidecarSet, trace: entries };
}

const common = { event: 'ADDED', resourceVersion: '7', writers: ['kruise-manager'] };
const set = {
  ...common,
  t: 1,
  kind: 'sidecarset',
  name: NAME,
  changed: { generation: 1, annotations, spec: { containers: [] } },
};
const pod = {
  ...common,
  t: 2,
  kind: 'pod',
  name: 'p',
  changed: { annotations, containers: [{ name: 'mesh', image: 'mesh:1' }] },
};
const told = { reason: 'Done', type: 'Normal', message: 'it is done', count: 1, involved: 'Pod/p' };
const event = { ...common, t: 3, kind: 'event', name: 'e', changed: told };
const step = { t: 4, kind: 'step', text: 'image v2' };

const changed = (entry: { changed: object }, change: object): object => ({
  ...entry,
  changed: { ...entry.changed, ...change },
});
const later = (entry: object, change: unknown): object => ({ ...entry, t: 9, event: 'MODIFIED', changed: change });

describe('a trace with an entry that cannot be replayed is refused with its place and what is allowed', () => {
  test.each<[string, object[], string]>([
    ['an entry that is none', [5 as never], 'trace[0] is 5; allowed is an object'],
    ['a step that says nothing', [{ t: 1, kind: 'step' }], 'trace[0].text is missing; allowed is a string'],
    ['a step of numbers', [{ ...step, text: 5 }], 'trace[0].text is 5; allowed is a string'],
    ['a change that is none', [{ ...pod, changed: 'x' }], 'trace[0].changed is "x"; allowed is an object'],
    ['no change', [pod, later(pod, undefined)], 'trace[1].changed is missing; allowed is an object'],
    [
      'a change of nothing known',
      [pod, later(pod, { zzz: 1 })],
      'trace[1].changed holds nothing that changed; allowed are annotations, containers, statuses, conditions, phase',
    ],
    [
      'annotations that are no texts',
      [changed(pod, { annotations: { a: 5 } })],
      'trace[0].changed.annotations.a is 5; allowed is a string',
    ],
    [
      'a hash that is no record',
      [changed(pod, { annotations: { 'kruise.io/sidecarset-hash': 'x' } })],
      'trace[0].changed.annotations["kruise.io/sidecarset-hash"] is "x"; allowed is a JSON object',
    ],
    [
      'a container without an image',
      [changed(pod, { containers: [{ name: 'mesh' }] })],
      'trace[0].changed.containers[0].image is missing; allowed is a string',
    ],
    [
      'a status of no known state',
      [changed(pod, { statuses: [{ name: 'a', ready: true, restartCount: 0, state: 'x' }] })],
      'trace[0].changed.statuses[0].state is "x"; allowed is one of running, waiting, terminated',
    ],
    [
      'a condition of no known status',
      [changed(pod, { conditions: [{ type: 'Ready', status: 'x' }] })],
      'trace[0].changed.conditions[0].status is "x"; allowed is one of True, False, Unknown',
    ],
    ['writers that are no list', [{ ...pod, writers: 'x' }], 'trace[0].writers is "x"; allowed is a list'],
    ['no writers', [{ ...pod, writers: undefined }], 'trace[0].writers is missing; allowed is a list'],
    [
      'a version that is no number',
      [{ ...pod, resourceVersion: 'x' }],
      'trace[0].resourceVersion is "x"; allowed is digits in a string',
    ],
    [
      'an unknown watch event',
      [{ ...pod, event: 'x' }],
      'trace[0].event is "x"; allowed is one of ADDED, MODIFIED, DELETED',
    ],
    [
      'a pod that was never shown',
      [{ ...pod, event: 'MODIFIED' }],
      'trace[0].event is "MODIFIED"; allowed is ADDED, for it is the first of pod p',
    ],
    [
      'a pod shown in part',
      [{ ...pod, changed: { annotations } }],
      'trace[0].changed.containers is missing; allowed is a list',
    ],
    ['another SidecarSet', [{ ...set, name: 'x' }], 'trace[0].name is "x"; allowed is mesh-set, as in sidecarSet'],
    [
      'an Event about nothing',
      [changed(event, { involved: undefined })],
      'trace[0].changed.involved is missing; allowed is "Kind/name"',
    ],
    [
      'an Event about no object',
      [changed(event, { involved: 'p' })],
      'trace[0].changed.involved is "p"; allowed is "Kind/name"',
    ],
    [
      'a time that goes back',
      [pod, { ...event, t: 1 }],
      'trace[1].t is 1; allowed is 2 or more, as in the entry above',
    ],
  ])('%s', (_, entries, message) => {
    expect(() => toCase(traced(...entries))).toThrow(message);
  });

  test('and one that says all that a replay needs is taken', () => {
    const gone = { ...pod, t: 6, event: 'DELETED', changed: undefined };
    const entries = [set, pod, event, step, later(event, { count: 2 }), { ...gone, t: 9 }, { ...pod, t: 10 }];
    expect(toCase(traced(...entries)).kind).toBe('trace');
  });
});
