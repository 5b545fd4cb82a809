import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Row } from '../bench.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Each part of `pnpm bench handover` whose counts must be right on any machine, with as little of it as `--quick` does. */
const PARTS = ['short', 'program', 'kept', 'idle', 'udp', 'deaths', 'crashes', 'attempts', 'fuzz', 'footprint'];

function run(part: string): Promise<{ ok: boolean; rows: Row[]; text: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'handover', '--quick', '--json', '--only', part], (_error, stdout, stderr) => {
      const last = stdout.trim().split('\n').pop() ?? '';
      const told = last.startsWith('{') ? JSON.parse(last) : { ok: false, rows: [] };
      resolve({ ...told, text: stderr });
    });
  });
}

test.each(PARTS)(
  'every count of the hand-over benchmark is right: %s',
  async (part) => {
    const { ok, rows, text } = await run(part);
    const wrong = rows.filter((row) => !row.ok);
    expect({ wrong, ...(ok ? {} : { text }) }).toEqual({ wrong: [] });
    expect(rows.length).toBeGreaterThan(0);
  },
  600_000,
);

test('a part that does not exist is refused', async () => {
  expect((await run('nothing')).text).toContain('there is no "nothing"');
});
