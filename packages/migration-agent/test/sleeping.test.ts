import { createSocket } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import type { Server } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { ServedHttp1 } from '../src/drain/http1.js';
import { AF_INET, addon, SOCK_DGRAM, type SocketFacts } from '../src/native/addon.js';
import type { Takeover, TakeoverOptions } from '../src/takeover/api.js';
import { portOf, usePair } from './pair.js';
import { until } from './processes.js';
import { RawClient, serverSaying } from './raw-client.js';

const stage = usePair();

async function serving(server: Server, limits: TakeoverOptions['limits'] = {}): Promise<Takeover> {
  const agent = await stage.pair.begin({ listeners: { web: '127.0.0.1:0' }, limits });
  await agent.serve('web', server).ready();
  return agent;
}

/** Clients of a first process that are silent by now. */
async function silent(old: Takeover, count: number): Promise<RawClient[]> {
  const all = Array.from({ length: count }, () => new RawClient(portOf(old, 'web')));
  await Promise.all(all.map((client) => client.ask()));
  return all;
}

const openOf = (agent: Takeover): number => agent.status().connections.open;

describe('a moved connection whose client is silent', () => {
  test('gets a socket and a parser only when the client speaks', async () => {
    const old = await serving(serverSaying('old'));
    const [first, second] = await silent(old, 2);
    const server = serverSaying('new');
    let built = 0;
    server.on('connection', () => {
      built += 1;
    });
    const next = await serving(server);
    await old.done;
    expect([built, openOf(next)]).toEqual([0, 2]);
    expect(await first!.ask()).toContain('new END');
    expect([built, openOf(next)]).toEqual([1, 2]);
    expect(await first!.ask()).toContain('new END');
    expect(await second!.ask()).toContain('new END');
    expect([built, openOf(next)]).toEqual([2, 2]);
  });

  test('moves on as it is, over several hand-overs', async () => {
    let owner = await serving(serverSaying('0'));
    const all = await silent(owner, 300);
    for (const version of ['1', '2', '3']) {
      const next = await serving(serverSaying(version));
      expect(await owner.done).toMatchObject({ migrated: 300, drained: 0, killed: 0 });
      owner = next;
    }
    for (const answer of await Promise.all(all.map((client) => client.ask()))) expect(answer).toContain('3 END');
    expect(all.filter(({ closed }) => closed)).toEqual([]);
  });

  test('is closed once it was silent for as long as the server lets clients be', async () => {
    const old = await serving(serverSaying('old'));
    const all = await silent(old, 3);
    const server = serverSaying('new');
    server.keepAliveTimeout = 100;
    const next = await serving(server);
    await old.done;
    await until(() => all.every(({ closed }) => closed), 'all are closed');
    expect(openOf(next)).toBe(0);
  });

  test('is gone when its client is', async () => {
    const old = await serving(serverSaying('old'));
    const [leaving, torn, staying] = await silent(old, 3);
    const next = await serving(serverSaying('new'));
    await old.done;
    leaving!.socket.destroy();
    torn!.socket.resetAndDestroy();
    await until(() => openOf(next) === 1, 'one is left');
    expect(await staying!.ask()).toContain('new END');
  });

  test.each(['close', 'closeIdleConnections', 'closeAllConnections'] as const)(
    'is closed by %s of its server, as any idle one is',
    async (call) => {
      const old = await serving(serverSaying('old'));
      const [silentStill, awake] = await silent(old, 2);
      const server = serverSaying('new');
      server.keepAliveTimeout = 0;
      const next = await serving(server);
      await old.done;
      await awake!.ask();
      server[call]();
      await until(() => silentStill!.closed && awake!.closed, 'both are closed');
      expect(openOf(next)).toBe(0);
    },
  );

  test('is closed within the window when its process ends and nobody follows', async () => {
    const old = await serving(serverSaying('old'));
    const all = await silent(old, 3);
    const next = await serving(serverSaying('new'), { idleCloseSpreadMs: 50 });
    await old.done;
    expect(await next.stop()).toMatchObject({ reason: 'terminated', drained: 3, killed: 0 });
    await until(() => all.every(({ closed }) => closed), 'all are closed');
  });

  test('stays, and is answered, when the next one takes none', async () => {
    const old = await serving(serverSaying('old'));
    const [client] = await silent(old, 1);
    const next = await serving(serverSaying('new'));
    await old.done;
    const last = await stage.pair.begin({ listeners: { web: '127.0.0.1:0' } });
    last.fd('web');
    await last.ready();
    expect(await client!.ask()).toContain('new END');
    expect(openOf(next)).toBe(1);
  });
});

describe('what is sent as a connection and is none', () => {
  const options = { migrate: true, websockets: undefined, h2c: undefined, idleCloseSpreadMs: 10 };
  const record = { listener: 'web', protocol: 'http1' as const };

  test('is refused when nobody can wait for it', () => {
    const file = openSync('/dev/null', 'r');
    expect(new ServedHttp1(serverSaying('x'), options).adopt(record, file)).toBe(false);
    closeSync(file);
  });

  test('is closed when something comes on it that no server can read', async () => {
    const served = new ServedHttp1(serverSaying('x'), options);
    const fd = addon().socket(AF_INET, SOCK_DGRAM);
    addon().bindInet(fd, '127.0.0.1', 0, false, false);
    const { port } = addon().describe(fd) as SocketFacts;
    expect(served.adopt(record, fd)).toBe(true);
    const sender = createSocket('udp4');
    sender.send('x', port, '127.0.0.1');
    await until(() => served.openConnections() === 0, 'it is gone');
    sender.close();
  });
});
