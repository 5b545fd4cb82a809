import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { buildClients, Clients } from './clients.js';

const SLOTS = 8;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test('on kept connections nobody asks a second time before everybody was answered once', async () => {
  const asked = new Map<Socket, number>();
  let held: ServerResponse | undefined;
  const server = createServer((request, answer) => {
    asked.set(request.socket, (asked.get(request.socket) ?? 0) + 1);
    if (held) answer.end('1');
    else held = answer;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clients = new Clients(buildClients(ROOT), { port, slots: SLOTS, mode: 'keep' });
  try {
    await clients.answered(SLOTS - 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(Math.max(...asked.values())).toBe(1);
    held?.end('1');
    expect((await clients.answered(SLOTS * 10)).ok).toBeGreaterThan(SLOTS * 10);
  } finally {
    clients.stop();
    server.closeAllConnections();
    server.close();
  }
});
