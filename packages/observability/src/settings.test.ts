import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, describeSettings, readSettings, type Settings, wholeNumber } from './settings.js';

const SETTINGS = {
  PORT: { schema: wholeNumber(0, 65_535), allowed: 'a port', default: '8080', help: 'Where to listen' },
  MODE: { schema: z.enum(['fast', 'safe']), allowed: 'fast or safe', default: 'safe', help: 'How to work' },
  URL: { schema: z.url(), allowed: 'an address', default: 'redis://a', help: 'Whom to ask', secret: true },
} as const satisfies Settings;

const messageOf = (environment: Record<string, string>): string => {
  try {
    readSettings(SETTINGS, environment, ({ MODE, PORT }) => (MODE === 'fast' && PORT === 0 ? ['PORT'] : []));
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

describe('settings', () => {
  test('have their defaults where the environment says nothing or an empty text', () => {
    expect(readSettings(SETTINGS, { PORT: '' })).toEqual({ PORT: 8080, MODE: 'safe', URL: 'redis://a' });
  });

  test('are what the environment says', () => {
    expect(readSettings(SETTINGS, { PORT: '1', MODE: 'fast' })).toMatchObject({ PORT: 1, MODE: 'fast' });
  });

  test('that cannot be used are told all at once, with what was got and what is allowed', () => {
    expect(messageOf({ PORT: '70000', MODE: 'slow' })).toBe(
      'PORT: got "70000"; allowed: a port\nMODE: got "slow"; allowed: fast or safe',
    );
  });

  test('that may hold a password are not shown', () => {
    expect(messageOf({ URL: 'secret' })).toBe('URL: got a value that is not shown; allowed: an address');
  });

  test('that do not go together are told like wrong ones', () => {
    expect(messageOf({ PORT: '0', MODE: 'fast' })).toBe('PORT: got "0"; allowed: a port');
  });

  test('are described with their defaults', () => {
    expect(describeSettings('program: works.', SETTINGS)).toContain(
      '  PORT\n      Where to listen.\n      Allowed: a port. Default: 8080.',
    );
  });
});
