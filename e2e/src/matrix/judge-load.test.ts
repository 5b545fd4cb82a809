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
  openedAtMs: 1_000,
  atMs: 1_005,
  lookedAtMs: 1_004,
  reused: true,
  detail: 'ECONNRESET',
});

const killed = (one: Loss): Loss => ({ ...one, inKilledProcess: true });

const report = (losses: Loss[], requests = 500): LoadReport => {
  const killedInFlight = losses.filter(({ inKilledProcess }) => inKilledProcess).length;
  return { losses, lost: losses.length - killedInFlight, killedInFlight, requests } as unknown as LoadReport;
};

describe('what a row lost', () => {
  test.each<[string, Loss[], Allowance[], { lost: number; allowed: number; problems: number }]>([
    ['nothing', [], [], { lost: 0, allowed: 0, problems: 0 }],
    ['a request that nothing explains', [loss('reset')], ['killed'], { lost: 1, allowed: 0, problems: 1 }],
    ['one in a process that was to die', [killed(loss('reset'))], ['killed'], { lost: 0, allowed: 0, problems: 0 }],
    ['one in a process that was not to die', [killed(loss('reset'))], [], { lost: 0, allowed: 0, problems: 1 }],
    ['one in a stopped process', [loss('timeout')], ['stopped'], { lost: 0, allowed: 1, problems: 0 }],
    ['one refused beside a stopped process', [loss('refused')], ['stopped'], { lost: 1, allowed: 0, problems: 1 }],
    ['one refused where nothing listens', [loss('refused')], ['refused'], { lost: 0, allowed: 1, problems: 0 }],
    [
      'one beside another in a process that was to die',
      [killed(loss('reset')), loss('refused')],
      ['killed'],
      { lost: 1, allowed: 0, problems: 1 },
    ],
    ['a wrong answer', [loss('bad-body')], ['killed', 'stopped', 'refused'], { lost: 1, allowed: 0, problems: 1 }],
    [
      'more than a process can hold',
      Array.from({ length: 200 }, () => loss('timeout')),
      ['stopped'],
      { lost: 0, allowed: 200, problems: 1 },
    ],
    [
      'more than was in flight in the process that died',
      Array.from({ length: 33 }, () => killed(loss('reset'))),
      ['killed'],
      { lost: 0, allowed: 0, problems: 1 },
    ],
  ])('%s', (_, losses, allows, expected) => {
    const deaths = ['127.1.0.1', '127.9.0.9'].map((ip) => ({ ip, container: 'mesh-1', atMs: 1_000 }));
    const { lost, allowed, problems } = judgeLoad(report(losses), allows, deaths);
    expect({ lost, allowed, problems: problems.length }).toEqual(expected);
  });

  test('too little traffic shows nothing', () => {
    expect(judgeLoad(report([], 5), [], []).problems).toEqual(['too little traffic to say anything']);
  });

  test('an example is one that nothing explains, and says when it was as seen from the nearest death', () => {
    const deaths = [960, 5_000].map((atMs) => ({ ip: '127.1.0.1', container: 'mesh-1', atMs }));
    const { problems } = judgeLoad(report([loss('reset'), killed(loss('closed'))]), [], deaths);
    expect(problems[0]).toBe(
      '1 requests were lost, such as POST on keepalive reset (ECONNRESET, counted from a death begun at 40 ms and lost at 45 ms)',
    );
  });
});
