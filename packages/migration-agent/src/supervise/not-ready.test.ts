import { expect, test } from '@jest/globals';
import { type Gone, notReady } from './not-ready.js';

const COMMAND = ['/usr/local/bin/envoy', '-c', 'envoy.yaml'];

test.each<[string, Gone | undefined, string]>([
  ['ended by itself', { ended: { code: 3, signal: null } }, 'envoy ended with code 3 before it was ready (not LIVE)'],
  [
    'was killed',
    { ended: { code: null, signal: 'SIGKILL' } },
    'envoy was ended by SIGKILL before it was ready (not LIVE)',
  ],
  ['was too slow', { limitMs: 1_500 }, 'envoy was not ready within 1.5 s (not LIVE)'],
  ['lives, and its adapter refuses it', undefined, 'not LIVE'],
])('a program that %s is said to have done just that', (_, gone, said) => {
  const error = notReady(COMMAND, gone, new Error('not LIVE'));
  expect([error.code, error.message]).toEqual(['PROGRAM_NOT_READY', said]);
});
