import { expect, test } from '@jest/globals';
import type { Platform } from './platform.js';
import { replaceEnded } from './replace-ended.js';

/** Of a platform whose webhook and planner have ended. */
const replacedOn = async (whileStarting: (platform: { isEnding: boolean }) => void, isEnding = false) => {
  const ended = (name: string) => ({ spec: { name }, isAlive: false, start: async () => whileStarting(platform) });
  const services = new Map(['webhook', 'planner'].map((name) => [name, ended(name)]));
  const platform = { services, options: {}, isEnding };
  return replaceEnded(platform as unknown as Platform);
};

test('what has ended is started again', async () => {
  expect(await replacedOn(() => undefined)).toEqual(['webhook', 'planner']);
});

test('a platform that is being ended, or is from now on, starts nothing again', async () => {
  expect(await replacedOn(() => undefined, true)).toEqual([]);
  const endIt = (platform: { isEnding: boolean }) => {
    platform.isEnding = true;
  };
  expect(await replacedOn(endIt)).toEqual(['webhook']);
});
