import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  adminReply,
  drainRequest,
  HotRestartError,
  isSocketReply,
  lengthOf,
  MAX_MESSAGE_BYTES,
  readRequest,
  socketReply,
  socketRequest,
} from './messages.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// What Envoy 1.36.2 and 1.40.0 send and take, byte by byte.
const VECTORS: [string, Uint8Array, string][] = [
  [
    'a question for worker 0',
    socketRequest('tcp://[::]:80', 0),
    '0000000000000013' + '0a11' + '0a0f' + '0a0d7463703a2f2f5b3a3a5d3a3830',
  ],
  [
    'a question for worker 3',
    socketRequest('udp://1.2.3.4:53', 3),
    '0000000000000018' + '0a16' + '0a14' + '0a107564703a2f2f312e322e332e343a3533' + '1003',
  ],
  ['drain', drainRequest(), '0000000000000004' + '0a022200'],
  ['no socket', socketReply(-1), '000000000000000f' + '120d' + '0a0b' + '08ffffffffffffffffff01'],
  ['socket 300', socketReply(300), '0000000000000007' + '1205' + '0a03' + '08ac02'],
  [
    'the admin is shut down, one socket for all workers',
    adminReply(1, false),
    '0000000000000006' + '1204' + '1202' + '0801',
  ],
  [
    'the admin is shut down, a socket for each worker',
    adminReply(1, true),
    '0000000000000008' + '1206' + '1204' + '0801' + '1001',
  ],
];

describe("messages of Envoy's hot restart", () => {
  test.each(VECTORS)('%s', (_what, message, expected) => {
    expect(hex(message)).toBe(expected);
    expect(lengthOf(message)).toBe(message.length);
  });

  test('a question is read as it was asked', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(1000), (address, worker) => {
        expect(readRequest(socketRequest(address, worker))).toEqual({
          ask: 'listen-socket',
          address,
          worker,
          namespace: '',
        });
      }),
    );
  });

  test('a reply is no request, and a request no reply', () => {
    expect(readRequest(socketReply(5))).toBeUndefined();
    expect(isSocketReply(socketReply(5))).toBe(true);
    expect(isSocketReply(drainRequest())).toBe(false);
    expect(isSocketReply(adminReply(1, true))).toBe(false);
  });

  test('a question that does not exist yet is named by its number', () => {
    expect(readRequest(Buffer.from('0000000000000005' + '0a03' + '9a0100', 'hex'))).toEqual({
      ask: 'unknown',
      field: 19,
    });
  });

  test('whatever comes is read or refused, and never costs more than it is long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 300 }), (bytes) => {
        try {
          readRequest(bytes);
          isSocketReply(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HotRestartError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a message longer than any real one is refused by its length alone', () => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64BE(BigInt(MAX_MESSAGE_BYTES + 1));
    expect(() => lengthOf(head)).toThrow(HotRestartError);
    expect(() => lengthOf(head.subarray(0, 7))).toThrow(HotRestartError);
  });
});
