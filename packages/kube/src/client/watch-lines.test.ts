import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lines, parseWatchLine } from './watch-lines.js';

async function* pieces(bytes: Buffer, cuts: number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const at = Math.min(cut, bytes.length);
    yield bytes.subarray(from, at);
    from = at;
  }
  yield bytes.subarray(from);
}

const collect = async (stream: AsyncIterable<string>) => {
  const all: string[] = [];
  for await (const line of stream) all.push(line);
  return all;
};

describe('the lines of a watch', () => {
  test('are the same however the bytes were cut on the way, in the middle of a character too', async () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((line) => !/[\n\r]/.test(line) && line.trim() === line && line !== '');
    await fc.assert(
      fc.asyncProperty(fc.array(text), fc.array(fc.nat(400)), async (expected, cuts) => {
        const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''));
        expect(await collect(lines(pieces(bytes, cuts)))).toEqual(expected);
      }),
    );
  });

  test('end in any of the usual ways, and empty ones do not count', async () => {
    expect(await collect(lines(pieces(Buffer.from('{"a":1}\r\n\n{"b":2}\n'), [])))).toEqual(['{"a":1}', '{"b":2}']);
  });

  test('do not include one that was cut off', async () => {
    expect(await collect(lines(pieces(Buffer.from('{"a":1}\n{"b"'), [3])))).toEqual(['{"a":1}']);
  });

  test('are refused beyond any sensible length instead of filling the memory', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      for (;;) yield chunk;
    }
    await expect(collect(lines(endless()))).rejects.toMatchObject({ reason: 'MalformedAnswer' });
  });
});

describe('a line', () => {
  test.each([
    '',
    'garbage',
    '42',
    'null',
    '{}',
    '{"type":"ADDED"}',
    '{"type":1,"object":{}}',
    '{"type":"ADDED","object":null}',
  ])('that says %j is refused', (line) => {
    expect(() => parseWatchLine(line)).toThrow(expect.objectContaining({ reason: 'MalformedAnswer' }));
  });
});
