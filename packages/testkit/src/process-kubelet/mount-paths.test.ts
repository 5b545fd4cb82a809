import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { translatePaths } from './mount-paths.js';

const MAPPINGS = [
  { inside: '/run/sidestep', outside: '/s/v/1/a' },
  { inside: '/run', outside: '/s/v/1/b' },
  { inside: '/data/', outside: '/s/v/1/c' },
];

describe('paths of a container', () => {
  test.each([
    ['/run/sidestep', '/s/v/1/a'],
    ['/run/sidestep/', '/s/v/1/a/'],
    ['/run/sidestep/takeover.sock', '/s/v/1/a/takeover.sock'],
    ['/run/other', '/s/v/1/b/other'],
    ['/run/sidestepper', '/s/v/1/b/sidestepper'],
    ['--dir=/run/sidestep', '--dir=/s/v/1/a'],
    ['unix:/run/sidestep/x.sock', 'unix:/s/v/1/a/x.sock'],
    ['unix:///run/sidestep', 'unix:///run/sidestep'],
    ['/data:/run', '/s/v/1/c:/s/v/1/b'],
    ['cat /data/a && rm "/data/b"', 'cat /s/v/1/c/a && rm "/s/v/1/c/b"'],
    ['/database', '/database'],
    ['/srv/data', '/srv/data'],
    ['http://host/data', 'http://host/data'],
    ['plain', 'plain'],
    ['', ''],
  ])('%s becomes %s', (text, expected) => {
    expect(translatePaths(text, MAPPINGS)).toBe(expected);
  });

  test('a text without any of the mount paths stays as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('/run') && !text.includes('/data'));
        expect(translatePaths(text, MAPPINGS)).toBe(text);
      }),
    );
  });

  test('what was put in is never translated again', () => {
    const growing = [{ inside: '/a', outside: '/a/a' }];
    expect(translatePaths('/a/x:/a', growing)).toBe('/a/a/x:/a/a');
  });
});
