import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { ServedTcp } from '../src/drain/tcp.js';
import type { ServeOptions, Takeover } from '../src/takeover/api.js';
import { portOf, usePair } from './pair.js';
import { until } from './processes.js';
import { RawClient, serverSaying } from './raw-client.js';

const stage = usePair();

const listeners = { web: '127.0.0.1:0' };

function failing(): never {
  throw new Error('the hook fails');
}

describe('HTTP/2', () => {
  function serverOf(version: string) {
    return createHttp2Server((request, answer) => {
      setTimeout(() => answer.end(version), request.url === '/slow' ? 300 : 0);
    });
  }

  function ask(session: ReturnType<typeof connectHttp2>, path = '/'): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = '';
      const stream = session.request({ ':path': path });
      stream.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      stream.on('end', () => resolve(text)).on('error', reject);
    });
  }

  test('a stream in flight is answered, the session gets GOAWAY, and the next one reaches the successor', async () => {
    const old = await stage.pair.begin({ listeners, limits: { idleCloseSpreadMs: 50 } });
    await old.serve('web', serverOf('old')).ready();
    const session = connectHttp2(`http://127.0.0.1:${portOf(old, 'web')}`);
    expect(await ask(session)).toBe('old');
    const goaway = new Promise((resolve) => session.once('goaway', resolve));
    const slow = ask(session, '/slow');
    await (await stage.pair.begin({ listeners })).serve('web', serverOf('new')).ready();
    await goaway;
    expect(await slow).toBe('old');
    await new Promise((resolve) =>
      session.closed ? resolve(undefined) : session.once('close', () => resolve(undefined)),
    );
    const again = connectHttp2(`http://127.0.0.1:${portOf(old, 'web')}`);
    expect(await ask(again)).toBe('new');
    again.destroy();
    expect(await old.done).toMatchObject({ killed: 0 });
  });

  test('a stream that does not end is cut at the end of the drain, and counted', async () => {
    const old = await stage.pair.begin({ listeners, limits: { idleCloseSpreadMs: 50, drainMs: 300 } });
    await old
      .serve(
        'web',
        createHttp2Server((_, answer) => void answer.write('and on it goes')),
      )
      .ready();
    const session = connectHttp2(`http://127.0.0.1:${portOf(old, 'web')}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => undefined);
    const cut = new Promise((resolve) => stream.once('close', resolve));
    await new Promise((resolve) => stream.once('data', resolve));
    await (await stage.pair.begin({ listeners })).serve('web', serverOf('new')).ready();
    expect(await old.done).toMatchObject({ killed: 1 });
    await cut;
  });

  test('HTTP/1.1 and HTTP/2 with prior knowledge share one port, and both are handed over', async () => {
    const both = (agent: Takeover, version: string) =>
      agent.serve('web', serverSaying(version), { h2c: serverOf(version) }).ready();
    const old = await stage.pair.begin({ listeners, limits: { idleCloseSpreadMs: 50 } });
    await both(old, 'old');
    const port = portOf(old, 'web');
    const [http1, session] = [new RawClient(port), connectHttp2(`http://127.0.0.1:${port}`)];
    expect(await http1.ask()).toContain('old END');
    expect(await ask(session)).toBe('old');
    await both(await stage.pair.begin({ listeners }), 'new');
    expect(await http1.ask()).toContain('new END');
    await new Promise((resolve) =>
      session.closed ? resolve(undefined) : session.once('close', () => resolve(undefined)),
    );
    const again = connectHttp2(`http://127.0.0.1:${port}`);
    expect(await ask(again)).toBe('new');
    again.destroy();
  });
});

describe('TLS', () => {
  function certificate() {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(stage.pair.directory, name));
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        ...subject,
        '-keyout',
        key!,
        '-out',
        cert!,
      ],
      {
        stdio: 'ignore',
      },
    );
    return { key: readFileSync(key!), cert: readFileSync(cert!) };
  }

  /** One request; tells whether the session was resumed and gives the ticket for the next. */
  function visit(port: number, session?: Buffer): Promise<{ resumed: boolean; session: Buffer; text: string }> {
    return new Promise((resolve, reject) => {
      let ticket: Buffer | undefined;
      let resumed = false;
      let text = '';
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...(session ? { session } : {}),
      });
      socket.on('session', (given) => {
        ticket = given;
      });
      socket.on('secureConnect', () => {
        resumed = socket.isSessionReused();
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      });
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve({ resumed, session: ticket!, text }));
    });
  }

  test('a session ticket of the old process is good in the new one', async () => {
    const options = certificate();
    const saying = (version: string) => createHttpsServer(options, (_, answer) => answer.end(version));
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', saying('old')).ready();
    const port = portOf(old, 'web');
    const { session, resumed } = await visit(port);
    expect(resumed).toBe(false);
    await (await stage.pair.begin({ listeners })).serve('web', saying('new')).ready();
    const second = await visit(port, session);
    expect(second.text).toContain('new');
    expect(second.resumed).toBe(true);
  });
});

describe('TCP', () => {
  test('a protocol of the user moves by its own hooks', async () => {
    const counting = (version: string, counts: WeakMap<Socket, number>) => {
      const follow = (socket: Socket, count: number) => {
        counts.set(socket, count);
        socket.on('data', () => {
          counts.set(socket, counts.get(socket)! + 1);
          socket.write(`${version} ${counts.get(socket)}\n`);
        });
      };
      return { server: createNetServer((socket) => follow(socket, 0)), follow };
    };
    const counts = new WeakMap<Socket, number>();
    const [first, second] = [counting('old', counts), counting('new', counts)];
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', first.server, { migrateConnection: (socket) => Buffer.from([counts.get(socket)!]) }).ready();
    const client = new RawClient(portOf(old, 'web'));
    client.socket.write('x');
    await until(() => client.received === 'old 1\n', 'the old one counts 1');
    const next = await stage.pair.begin({ listeners });
    await next
      .serve('web', second.server, { adoptConnection: (socket, meta) => second.follow(socket, meta[0]!) })
      .ready();
    expect(await old.done).toMatchObject({ migrated: 1, killed: 0 });
    client.socket.write('x');
    await until(() => client.received === 'old 1\nnew 2\n', 'the new one counts 2');
  });

  test.each<[string, ServeOptions, ServeOptions]>([
    ['throws', { migrateConnection: failing }, {}],
    ['gives more than a frame takes', { migrateConnection: () => new Uint8Array(3_073) }, {}],
    ['gives no bytes', { migrateConnection: () => ({}) as Uint8Array }, {}],
    ['of the next one throws', { migrateConnection: () => new Uint8Array(3_072) }, { adoptConnection: failing }],
  ])('a connection whose hook %s stays, and the hand-over stands', async (_, giving, taking) => {
    const echo = () => createNetServer((socket) => socket.pipe(socket));
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', echo(), giving).ready();
    const resumed: string[] = [];
    old.on('resume', (cause) => resumed.push(cause));
    const client = new RawClient(portOf(old, 'web'));
    client.socket.write('a');
    await until(() => client.received === 'a', 'it is echoed');
    const next = await stage.pair.begin({ listeners });
    await next.serve('web', echo(), { adoptConnection: () => undefined, ...taking }).ready();
    client.socket.write('b');
    await until(() => client.received === 'ab', 'it is still echoed');
    client.socket.end();
    expect(await old.done).toMatchObject({ migrated: 0, drained: 1, killed: 0 });
    expect(resumed).toEqual([]);
    expect(next.status().role).toBe('owner');
  });

  test('a connection for which the next one has no descriptor is refused', () => {
    const adopted: string[] = [];
    const adoptConnection = (): void => void adopted.push('adopted');
    const served = new ServedTcp(createNetServer(), { migrateConnection: undefined, adoptConnection, failed: failing });
    expect(served.adopt({ listener: 'web', protocol: 'hook' }, -1)).toBe(false);
    expect(adopted).toEqual([]);
  });

  test('a connection that the hook does not give stays until it ends', async () => {
    const old = await stage.pair.begin({ listeners });
    await old
      .serve(
        'web',
        createNetServer((socket) => socket.pipe(socket)),
        { migrateConnection: () => false },
      )
      .ready();
    const client = new RawClient(portOf(old, 'web'));
    client.socket.write('a');
    await until(() => client.received === 'a', 'it is echoed');
    await (await stage.pair.begin({ listeners })).serve('web', createNetServer()).ready();
    client.socket.write('b');
    await until(() => client.received === 'ab', 'it is still echoed');
    client.socket.end();
    expect(await old.done).toMatchObject({ migrated: 0, drained: 1, killed: 0 });
  });
});
