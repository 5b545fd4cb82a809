import { expect, test } from '@jest/globals';
import { WrongArguments } from '../flags/flags.js';
import { planRuns } from './plan.js';

const FOLDER = '/opt/kruise';

test.each([
  ['the simulated API server', ['--by', 'openkruise', '--kruise', FOLDER], /--api real/],
  ['no program of it', ['--by', 'openkruise', '--api', 'real'], /--kruise FOLDER/],
  ['somebody unknown', ['--by', 'argo'], /"argo" is none of sidestep, sidestep-keep, openkruise, openkruise-calls/],
])('refuses a rollout by OpenKruise with %s, saying what is wanted', (_, flags, complaint) => {
  expect(() => planRuns(flags, false)).toThrow(complaint);
});

test('rolls the same pods out by Sidestep and by OpenKruise', () => {
  const flags = ['--by', 'sidestep,openkruise', '--kruise', FOLDER, '--api', 'real', '--pods', '5', '--workers', '1'];
  const runs = planRuns(flags, false).map(({ by, mode, pods }) => [by, mode, pods]);
  expect(runs).toEqual([
    ['sidestep', 'cold', 5],
    ['openkruise', 'cold', 5],
    ['sidestep', 'hot', 5],
    ['openkruise', 'hot', 5],
  ]);
});

test.each([['--pods', 'x'], ['--mode', 'warm'], ['--pod', '5'], ['--pods']])(
  'refuses %s %s as wrong arguments, which are told in one line',
  (...flags) => {
    expect(() => planRuns(flags, false)).toThrow(WrongArguments);
  },
);
