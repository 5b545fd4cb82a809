import { describe, expect, test } from '@jest/globals';
import { AnswerCheck } from './expected-answer.js';

const before = { metadata: { name: 'web' }, spec: { containers: [{ name: 'app' }] } };
const record = (time: string) => `{"mesh":{"updateTimestamp":"${time}","hash":"h"}}`;
const annotations = (time: string) => ({ 'kruise.io/sidecarset-hash': record(time) });
const after = {
  metadata: { name: 'web', annotations: annotations('2026-01-01T00:00:00Z') },
  spec: { containers: [{ name: 'mesh' }, { name: 'app' }] },
};

const patchOf = (time: string, name = 'mesh') => [
  { op: 'add', path: '/metadata/annotations', value: annotations(time) },
  { op: 'add', path: '/spec/containers/0', value: { name } },
];

const answer = (patch: unknown, more: object = {}) =>
  Buffer.from(
    JSON.stringify({
      response: {
        uid: 'u',
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
        ...more,
      },
    }),
  );

describe('an answer to a review', () => {
  const check = () => new AnswerCheck({ uid: 'u', before, after });

  test('is right whenever the pod is injected', () => {
    const one = check();
    for (const time of ['2026-01-01T00:00:00Z', '2027-02-02T02:02:02Z', '2026-01-01T00:00:00Z'])
      expect(one.isRight(answer(patchOf(time)))).toBe(true);
  });

  test('of another product is right with any patch, and wrong without one', () => {
    const theirs = new AnswerCheck({ uid: 'u', before });
    expect(theirs.isRight(answer(patchOf('t', 'other')))).toBe(true);
    expect(theirs.isRight(answer([]))).toBe(false);
  });

  test.each([
    ['with another container', answer(patchOf('t', 'other'))],
    ['without a patch', answer([], { patch: undefined, patchType: undefined })],
    ['for another request', answer(patchOf('t'), { uid: 'v' })],
    ['that refuses', answer(patchOf('t'), { allowed: false })],
    ['with a patch of no type', answer(patchOf('t'), { patchType: undefined })],
    ['with a patch that does not apply', answer([{ op: 'remove', path: '/spec/none' }])],
    ['that is no JSON', Buffer.from('too many reviews at once\n')],
  ])('%s is wrong, also after a right one', (_, wrong) => {
    const one = check();
    expect(one.isRight(answer(patchOf('t')))).toBe(true);
    expect(one.isRight(wrong)).toBe(false);
  });
});
