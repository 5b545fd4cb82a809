import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { removeScratch } from './remove-scratch.js';

/** How often a file is written between any two steps of a removal. */
const TURNS = 200;

async function keepWriting(folder: string): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    try {
      writeFileSync(path.join(folder, String(turn)), '');
    } catch {
      return; // The folder is gone.
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a folder into which somebody still wrote is gone all the same', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidestep-scratch-'));
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  await Promise.all([keepWriting(inner), removeScratch(folder)]);
  expect(existsSync(folder)).toBe(false);
});

test('a folder that is gone already is fine', async () => {
  const said = jest.spyOn(process.stderr, 'write');
  await removeScratch(path.join(tmpdir(), 'sidestep-scratch-that-never-was'));
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

test('a folder that cannot be removed is named on stderr and fails nobody', async () => {
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const impossible = '/dev/null/inside';
  await removeScratch(impossible);
  expect(String(said.mock.calls[0]?.[0])).toContain(`${impossible} could not be removed`);
  said.mockRestore();
});
