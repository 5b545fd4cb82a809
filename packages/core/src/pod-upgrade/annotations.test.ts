import { describe, expect, test } from '@jest/globals';
import { withInPlaceState, withWorkingContainers } from './annotations.js';

describe('an annotation that an upgrade writes', () => {
  test('has container names in the order of their bytes, also those that look like numbers', () => {
    const state = {
      revision: 'r',
      updateTimestamp: 't',
      lastContainerStatuses: { '9': { imageID: 'i' }, '10': {}, a: {} },
    };
    const text = '{"other":{"lastContainerStatuses":{"a":{},"10":{}}}}';
    expect(withInPlaceState(text, 'set', state)).toBe(
      '{"other":{"lastContainerStatuses":{"a":{},"10":{}}},' +
        '"set":{"revision":"r","updateTimestamp":"t","lastContainerStatuses":{"10":{},"9":{"imageID":"i"},"a":{}}}}',
    );
  });

  test.each([
    ['{"a":1,"b":"b-1"}', '{"a":"","b":"b-1","mesh":"mesh-2"}'],
    ['{"a":null}', '{"a":"","mesh":"mesh-2"}'],
    ['{bad', '{"mesh":"mesh-2"}'],
    [undefined, '{"mesh":"mesh-2"}'],
  ])('keeps the other entries of working containers %s', (text, expected) => {
    expect(withWorkingContainers(text, { mesh: 'mesh-2' })).toBe(expected);
  });
});
