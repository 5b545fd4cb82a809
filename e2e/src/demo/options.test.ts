import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { parseOptions } from './options.js';

let said: string[] = [];

beforeEach(() => {
  said = [];
  jest.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`ended with ${code}`);
  });
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});

afterEach(() => {
  jest.restoreAllMocks();
});

test.each([
  ['no pods', ['--pods', '0'], '--pods'],
  ['more pods than one machine plays', ['--pods', '201'], '--pods'],
  ['a rate that is no number', ['--rate', '1e3'], '--rate'],
  ['nothing begun at once', ['--max-unavailable', '0'], '--max-unavailable'],
  ['more begun at once than there can be pods', ['--max-unavailable', '201'], '--max-unavailable'],
  ['a count that no SidecarSet can hold', ['--max-unavailable', '99999999999999999999'], '--max-unavailable'],
  ['a percentage above all', ['--max-unavailable', '101%'], '--max-unavailable'],
  ['an unknown fault', ['--fail', 'nope'], '--fail'],
  ['a fault of Redis on the in-process queue', ['--queue', 'memory', '--fail', 'redis-flushed'], '--queue redis'],
  ['a picture in a folder that is not there', ['--record', '/nowhere-at-all/demo.svg'], '--record'],
])('%s ends with 2 and one line that names the flag', (_, argv, named) => {
  expect(() => parseOptions(argv)).toThrow('ended with 2');
  expect(said.join('').trimEnd().split('\n')).toEqual([expect.stringContaining(named)]);
});

test.each([
  ['1', 1],
  ['200', 200],
  ['1%', '1%'],
  ['100%', '100%'],
])('--max-unavailable %s is taken', (text, value) => {
  expect(parseOptions(['--max-unavailable', text]).maxUnavailable).toBe(value);
});
