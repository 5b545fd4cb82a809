import { expect, test } from '@jest/globals';
import { socketsIn } from './tcp-table.js';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                              \n';

/** A line as the kernel prints it; in tcp6 an address has 32 digits. */
const line = (state: string, inode: number, address = '0100007F'): string =>
  `   1: ${address}:1F90 ${address}:D431 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

test.each([
  ['a listener', line('0A', 21), [{ port: 8080, listening: true, inode: '21' }]],
  ['a connection', line('01', 22), [{ port: 8080, listening: false, inode: '22' }]],
  ['one that its client has ended', line('08', 23), [{ port: 8080, listening: false, inode: '23' }]],
  [
    'one over IPv6',
    line('01', 24, '00000000000000000000000001000000'),
    [{ port: 8080, listening: false, inode: '24' }],
  ],
  ['nothing of one that has ended on both sides', line('06', 0), []],
  ['nothing where there is none', '', []],
])('reads %s from the table of the kernel', (_, text, expected) => {
  expect([...socketsIn(HEAD + text, () => true)]).toEqual(expected);
});

test('keeps what is wanted of many, whatever ended among them', () => {
  const table = HEAD + line('06', 0).repeat(1_000) + line('01', 7) + line('06', 0) + line('0A', 8);
  expect([...socketsIn(table, ({ listening }) => listening)].map(({ inode }) => inode)).toEqual(['8']);
});
