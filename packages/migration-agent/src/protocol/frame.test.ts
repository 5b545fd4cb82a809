import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeFrame, encodeFrame, FRAME_TYPE, FrameError, maxFrameBytes } from './frame.js';
import { HEADER_BYTES, MAX_BODY_BYTES, MAX_FDS_PER_FRAME } from './limits.js';
import { readMessage, writeBody } from './messages.js';

interface Vector {
  name: string;
  hex: string;
  fds: number;
  frame: { version: number; type: string; seq: number; body: unknown };
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../docs/reference/takeover-protocol-vectors.json', import.meta.url), 'utf8'),
) as {
  frames: Vector[];
  tolerated: Vector[];
  refused: { name: string; hex: string; fds: number; code: string }[];
};

describe('the published test vectors', () => {
  test.each(vectors.frames)('$name is read as it says, and written to the same bytes', ({ hex, fds, frame }) => {
    const bytes = Buffer.from(hex, 'hex');
    const read = decodeFrame(bytes, fds);
    expect(read).toMatchObject({ version: frame.version, seq: frame.seq });
    const message = readMessage(read.type, read.body);
    if (!message) expect(frame.type).toBe('unknown');
    else {
      expect(message).toMatchObject({ type: frame.type, ...(frame.body as object) });
      expect(encodeFrame({ ...read, body: writeBody(message) }).toString('hex')).toBe(hex);
    }
  });

  test.each(vectors.tolerated)('$name is read all the same', ({ hex, fds, frame }) => {
    const read = decodeFrame(Buffer.from(hex, 'hex'), fds);
    expect(read).toMatchObject({ version: frame.version, seq: frame.seq });
    expect(readMessage(read.type, read.body)).toEqual({ type: frame.type, ...(frame.body as object) });
  });

  test.each(vectors.refused)('$name is refused with $code', ({ hex, fds, code }) => {
    const read = () => decodeFrame(Buffer.from(hex, 'hex'), fds);
    if (code !== 'BAD_BODY') expect(read).toThrow(expect.objectContaining({ code }));
    else {
      const { type, body } = read();
      expect(() => readMessage(type, body)).toThrow();
    }
  });
});

describe('framing', () => {
  test('what is written is read back, for any header and body', () => {
    const frames = fc.record({
      version: fc.integer({ min: 1, max: 255 }),
      type: fc.constantFrom(FRAME_TYPE.OFFER, FRAME_TYPE.CONNS),
      flags: fc.nat(0xffff),
      seq: fc.nat(0xffffffff),
      body: fc.uint8Array({ maxLength: 2_000 }),
      fdCount: fc.nat(MAX_FDS_PER_FRAME),
    });
    fc.assert(
      fc.property(frames, (frame) => {
        const read = decodeFrame(encodeFrame(frame), frame.fdCount);
        expect({ ...read, body: [...read.body] }).toEqual({ ...frame, body: [...frame.body] });
      }),
    );
  });

  test('any bytes at all are read or refused, never anything else', () => {
    const magic = Buffer.from('HTO1');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([magic, tail])),
    );
    fc.assert(
      fc.property(bytes, fc.nat(300), (message, fds) => {
        try {
          expect(decodeFrame(message, fds).body.length).toBeLessThanOrEqual(maxFrameBytes() - HEADER_BYTES);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a body above its cap cannot be written', () => {
    const frame = { version: 1, flags: 0, seq: 1, fdCount: 0, body: new Uint8Array(MAX_BODY_BYTES + 1) };
    expect(() => encodeFrame({ ...frame, type: FRAME_TYPE.HELLO })).toThrow('does not fit');
    expect(encodeFrame({ ...frame, type: FRAME_TYPE.STATE }).length).toBeGreaterThan(MAX_BODY_BYTES);
  });

  test('descriptors on a frame that carries none are refused', () => {
    const frame = { version: 1, flags: 0, seq: 1, fdCount: 1, body: new Uint8Array(), type: FRAME_TYPE.PING };
    expect(() => encodeFrame(frame)).toThrow('may not carry');
  });
});

describe('messages', () => {
  test('any JSON in any type gives a message or an error that names the field, never anything else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(FRAME_TYPE)), fc.json(), (type, json) => {
        try {
          expect(readMessage(type, Buffer.from(json))).toHaveProperty('type');
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('an unknown type is no error: newer peers have some', () => {
    expect(readMessage(200, Buffer.from('{}'))).toBeUndefined();
  });

  test('fields of newer peers are ignored', () => {
    expect(readMessage(FRAME_TYPE.PROGRESS, Buffer.from('{"stage":"x","new":1}'))).toEqual({
      type: 'PROGRESS',
      stage: 'x',
    });
  });

  test('a counter named like a prototype is data', () => {
    const read = readMessage(FRAME_TYPE.STATS, Buffer.from('{"counters":{"__proto__":1}}'));
    expect(Object.keys((read as { counters: object }).counters)).toEqual(['__proto__']);
  });
});
