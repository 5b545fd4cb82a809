import { expect, test } from '@jest/globals';
import { ROWS } from './rows.js';

test('every row of the failure matrix has a name of its own', () => {
  expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
});

test('a quick look at the failure matrix has rows of every kind of failure', () => {
  expect(ROWS.filter(({ quick }) => quick).length).toBeGreaterThan(3);
});

/** Every failure that the semantics name, and a word that only its rows have. */
const FAILURES: readonly (readonly [string, RegExp, number])[] = [
  ['a worker dies in each phase before and after its write', /^worker killed (before|after) its/, 6],
  ['a worker dies while a migration waits', /^worker killed while a migration waits/, 1],
  ['a worker stands still and another takes its job over', /^worker stopped/, 1],
  ['a planner dies or stands still', /^planners? .*(killed|stopped)/, 6],
  ['the webhook dies at any moment', /^killed and .*: webhook/, 6],
  ['the planner that leads dies at any moment', /^killed and .*: planner/, 6],
  ['one worker dies at any moment', /^killed and .*: worker-\d/, 12],
  ['Redis dies at any moment', /^killed and .*: Redis/, 6],
  ['the API server dies at any moment', /^killed and .*: kube-sim/, 6],
  ['Redis is killed, emptied, slow, or full', /^Redis/, 5],
  [
    'the API server answers 409, 429, 500 or not at all',
    /^API server: (409|429|500|pod writes|connection|slow|away)/,
    11,
  ],
  ['watches end, history is gone, caches are old', /^API server: (watches|410|a cache|events)/, 5],
  ['the kubelet is slow', /^kubelet slow/, 2],
  ['the node is lost in each phase', /^node NotReady/, 4],
  ['a pod is deleted in each phase', /^pod deleted/, 4],
  ['a pod is replaced under its name in each phase', /^pod replaced/, 4],
  ['the new version cannot be pulled', /^new version cannot be pulled/, 2],
  ['the new version crashes before, while and after it takes over', /^new version crashes/, 3],
  ['the new version hangs before, while and after it takes over', /^new version hangs/, 3],
  ['the new version is too slow for its hook, or its deadline', /^new version is slower/, 2],
  ['the old sidecar crashes in each phase', /^old sidecar crashes/, 5],
  ['the SidecarSet is edited in each phase', /^SidecarSet edited/, 4],
  ['the SidecarSet is paused in each phase', /^SidecarSet paused/, 4],
  ['the SidecarSet is rolled back in each phase', /^SidecarSet rolled back/, 4],
  ['the SidecarSet is deleted, and recreated, in each phase', /^SidecarSet deleted/, 8],
  ['two SidecarSets share a pod', /^two SidecarSets/, 2],
  ['OpenKruise leaves pods in each phase, and gets them back', /OpenKruise/, 7],
];

test.each(FAILURES)('the failure matrix has rows for: %s', (_, names, count) => {
  expect(ROWS.filter(({ name }) => names.test(name)).length).toBe(count);
});
