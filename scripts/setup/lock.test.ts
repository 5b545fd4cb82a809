import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const SETUP = path.resolve(import.meta.dirname);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sidestep-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that takes the lock, and inside appends `in` and `out` to a file with a moment between. */
const contender = (lock: string, log: string) =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { appendFileSync } from 'node:fs';
       import { setTimeout as wait } from 'node:timers/promises';
       import { withLock } from ${JSON.stringify(path.join(SETUP, 'lock.mjs'))};
       await withLock(${JSON.stringify(lock)}, 'a test', async () => {
         appendFileSync(${JSON.stringify(log)}, 'in ');
         await wait(50);
         appendFileSync(${JSON.stringify(log)}, 'out ');
       });`,
    ],
    { stdio: 'ignore' },
  );

describe('the lock of the set-up', () => {
  test('lets one process in at a time, and is gone afterwards', async () => {
    const [lock, log] = [path.join(folder, 'lock'), path.join(folder, 'log')];
    const codes = await Promise.all(
      [1, 2, 3, 4].map(async () => (await once(contender(lock, log), 'exit'))[0] as number),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(4));
    expect(existsSync(lock)).toBe(false);
  });

  test('is taken from a process that died holding it', async () => {
    const [lock, log] = [path.join(folder, 'lock'), path.join(folder, 'log')];
    const dead = spawn(process.execPath, ['--eval', ''], { stdio: 'ignore' });
    await once(dead, 'exit');
    writeFileSync(lock, String(dead.pid));
    const [code] = await once(contender(lock, log), 'exit');
    expect([code, readFileSync(log, 'utf8')]).toEqual([0, 'in out ']);
  });
});
