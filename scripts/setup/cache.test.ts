import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { cacheFolder } from './cache.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'sidestep-cache-'));
const before = { ...process.env };
afterEach(() => {
  Object.assign(process.env, before);
  rmSync(scratch, { recursive: true, force: true });
});

test('a cache folder that cannot be made is told with its path and the variable that names another', () => {
  const file = path.join(scratch, 'file');
  writeFileSync(file, '');
  process.env.SIDESTEP_CACHE = path.join(file, 'cache');
  expect(() => cacheFolder('pnpm')).toThrow(/file\/cache\/pnpm cannot be made \(ENOTDIR\)\. Set SIDESTEP_CACHE/);
});
