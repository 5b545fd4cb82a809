import { describe, expect, test } from '@jest/globals';
import type { Loss, LossKind } from '@sidestep/testkit';
import type { LoadReport } from '../world/load.js';
import { judgeLoad } from './judge-load.js';
import type { Allowance } from './row.js';

const loss = (kind: LossKind): Loss => ({
  target: '127.1.0.1:8080',
  kind,
  method: 'POST',
  connection: 'keepalive',
  dueAtMs: 1_000,
  sentAtMs: 1_000,
  atMs: 1_005,
  reused: true,
  detail: 'ECONNRESET',
});

const report = (losses: Loss[], killedInFlight = 0, requests = 500): LoadReport =>
  ({ losses, lost: losses.length - killedInFlight, killedInFlight, requests }) as unknown as LoadReport;

describe('what a row lost', () => {
  test.each<[string, Loss[], number, Allowance[], { lost: number; allowed: number; problems: number }]>([
    ['nothing', [], 0, [], { lost: 0, allowed: 0, problems: 0 }],
    ['a request that nothing explains', [loss('reset')], 0, ['killed'], { lost: 1, allowed: 0, problems: 1 }],
    ['one in a process that was to die', [loss('reset')], 1, ['killed'], { lost: 0, allowed: 0, problems: 0 }],
    ['one in a process that was not to die', [loss('reset')], 1, [], { lost: 0, allowed: 0, problems: 1 }],
    ['one in a stopped process', [loss('timeout')], 0, ['stopped'], { lost: 0, allowed: 1, problems: 0 }],
    ['one refused beside a stopped process', [loss('refused')], 0, ['stopped'], { lost: 1, allowed: 0, problems: 1 }],
    ['one refused where nothing listens', [loss('refused')], 0, ['refused'], { lost: 0, allowed: 1, problems: 0 }],
    ['a wrong answer', [loss('bad-body')], 0, ['killed', 'stopped', 'refused'], { lost: 1, allowed: 0, problems: 1 }],
    [
      'more than a process can hold',
      Array.from({ length: 200 }, () => loss('timeout')),
      0,
      ['stopped'],
      { lost: 0, allowed: 200, problems: 1 },
    ],
  ])('%s', (_, losses, killed, allows, expected) => {
    const { lost, allowed, problems } = judgeLoad(report(losses, killed), allows, []);
    expect({ lost, allowed, problems: problems.length }).toEqual(expected);
  });

  test('too little traffic shows nothing', () => {
    expect(judgeLoad(report([], 0, 5), [], []).problems).toEqual(['too little traffic to say anything']);
  });

  test('an example says how long after a death it was sent', () => {
    const { problems } = judgeLoad(report([loss('reset')]), [], [{ ip: '127.1.0.1', container: 'mesh-1', atMs: 960 }]);
    expect(problems).toEqual([
      '1 requests were lost, such as POST on keepalive reset (ECONNRESET, sent 40 ms after a death)',
    ]);
  });
});
