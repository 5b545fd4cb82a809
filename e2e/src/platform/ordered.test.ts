import { expect, test } from '@jest/globals';
import { KubeError } from '@sidestep/kube';
import { ordered } from './ordered.js';

test('an order waits for what was killed just before it, and is given once more', async () => {
  let alive = false;
  let looks = 0;
  let taken = 0;
  const order = async () => {
    if (!alive) throw new Error('failed to call webhook: connect ECONNREFUSED 127.0.0.1:1');
    taken += 1;
  };
  const revive = async () => {
    looks += 1;
    // The first look comes before the death is noticed.
    alive = looks > 1;
  };
  await ordered(order, revive);
  expect({ taken, looks }).toEqual({ taken: 1, looks: 2 });
});

test('an order for which the webhook was too late is given again', async () => {
  const answers = [new Error('failed calling webhook "m.sidestep.dev": context deadline exceeded')];
  await ordered(async () => {
    const late = answers.shift();
    if (late) throw late;
  });
  expect(answers).toEqual([]);
});

test('an order that is refused is not given again', async () => {
  let given = 0;
  const order = async () => {
    given += 1;
    throw new Error('admission webhook denied the request');
  };
  await expect(ordered(order, async () => {})).rejects.toThrow('denied');
  expect(given).toBe(1);
});

const EXISTS = new KubeError({ status: 409, reason: 'AlreadyExists', message: 'pods "a" already exists' });

test('what exists because an order was carried out and not answered is taken', async () => {
  const answers = [new Error('socket hang up'), EXISTS];
  await ordered(async () => {
    throw answers.shift();
  });
  expect(answers).toEqual([]);
});

test('what existed before the first order is told', async () => {
  const order = async () => {
    throw EXISTS;
  };
  await expect(ordered(order)).rejects.toThrow('already exists');
});
