import { describe, expect, test } from '@jest/globals';
import { readConfig } from './config.js';

describe('the environment', () => {
  test('may say nothing at all', () => {
    expect(readConfig({})).toMatchObject({
      directory: '/run/sidestep',
      slot: 'main',
      hint: undefined,
      adapter: 'activation',
    });
  });

  test.each([
    [{ SIDECARSET_VERSION: '12', SIDECARSET_VERSION_ALT: '9' }, { version: 12, alternative: 9 }, '12'],
    [{ SIDECARSET_VERSION: '12' }, undefined, 'main'],
    [{ SIDECARSET_VERSION: 'x', SIDECARSET_VERSION_ALT: '9' }, undefined, 'main'],
    [{ SIDECARSET_VERSION: '', SIDECARSET_VERSION_ALT: '' }, undefined, 'main'],
  ])('%j tells the pair apart only when both versions are numbers', (env, hint, slot) => {
    expect(readConfig(env)).toMatchObject({ hint, slot });
  });

  test.each(['SIDESTEP_DRAIN_SECONDS', 'SIDESTEP_INIT_SECONDS', 'SIDESTEP_GUARD_SECONDS'])(
    '%s takes seconds, nothing else',
    (name) => {
      expect(() => readConfig({ [name]: 'soon' })).toThrow(`${name} is "soon"; allowed are seconds from 0 to 86400`);
      expect(() => readConfig({ [name]: '-1' })).toThrow(name);
      expect(Object.values(readConfig({ [name]: '1.5' }))).toContain(1_500);
    },
  );

  test('a slot must not lead out of the directory', () => {
    expect(() => readConfig({ SIDESTEP_SLOT: '../x' })).toThrow('SIDESTEP_SLOT');
  });
});
