import { describe, expect, test } from '@jest/globals';
import { portOf, usePair } from './pair.js';
import { Pod, until } from './processes.js';
import { RawClient, serverSaying } from './raw-client.js';

const stage = usePair();

const listeners = { web: '127.0.0.1:0' };

describe('HTTP/1.1', () => {
  test('2,000 idle connections move, and none of their clients notices', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const all = Array.from({ length: 2_000 }, () => new RawClient(portOf(old, 'web')));
    for (const answer of await Promise.all(all.map((client) => client.ask()))) expect(answer).toContain('old END');
    const next = await stage.pair.begin({ listeners });
    await next.serve('web', serverSaying('new')).ready();
    expect(await old.done).toMatchObject({ migrated: 2_000, drained: 0, killed: 0 });
    for (const answer of await Promise.all(all.map((client) => client.ask()))) expect(answer).toContain('new END');
    expect(all.filter(({ closed }) => closed)).toEqual([]);
  });

  test('those for which the next one has no descriptors left stay, are answered, and do not end the hand-over', async () => {
    const pod = await Pod.create();
    try {
      const old = await stage.pair.begin({ directory: pod.directory, listeners: { web: `127.0.0.1:${pod.port}` } });
      await old.serve('web', serverSaying('old')).ready();
      const resumed: string[] = [];
      old.on('resume', (cause) => resumed.push(cause));
      const all = Array.from({ length: 300 }, () => new RawClient(pod.port));
      await Promise.all(all.map((client) => client.ask()));
      // The first frame has 250 connections: too many. The second one fits.
      await pod.server('new END', { descriptors: 200 }).heard('owner');
      await until(() => old.status().connections.open === 250, 'those that fit are moved');
      const answers = await Promise.all(all.map((client) => client.ask()));
      expect(answers.filter((answer) => answer.includes('old END'))).toHaveLength(250);
      expect(answers.filter((answer) => answer.includes('new END'))).toHaveLength(50);
      expect(resumed).toEqual([]);
      expect(old.status().role).toBe('draining');
    } finally {
      await pod.close();
    }
  });

  test('a connection that never asked anything moves as well', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const silent = new RawClient(portOf(old, 'web'));
    await until(() => old.status().connections.open === 1, 'it is accepted');
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    await old.done;
    expect(await silent.ask()).toContain('new END');
  });

  test('an idle connection that moved may be silent for longer than a head may take to come', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const idle = new RawClient(portOf(old, 'web'));
    await idle.ask();
    const next = await stage.pair.begin({ listeners });
    const impatient = { headersTimeout: 200, requestTimeout: 60_000, connectionsCheckingInterval: 50 };
    await next.serve('web', serverSaying('new', 0, impatient)).ready();
    expect(await old.done).toMatchObject({ migrated: 1 });
    // Accepted after the other was adopted: what is too late for it is too late for both.
    const silent = new RawClient(portOf(next, 'web'));
    await until(() => silent.closed, 'the server to lose its patience');
    expect(silent.received).toContain('408');
    expect(idle.received).not.toContain('408');
    expect(await idle.ask()).toContain('new END');
  });

  test('a busy connection is answered by the old one and moves when its answer has ended', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const client = new RawClient(portOf(old, 'web'));
    const slow = client.ask('/slow');
    await until(() => old.status().connections.open === 1, 'it is accepted');
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    expect(await slow).toContain('old END');
    expect(await client.ask()).toContain('new END');
    expect(client.closed).toBe(false);
  });

  test('a half-sent request is no boundary: the old one gets the rest and answers', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const client = new RawClient(portOf(old, 'web'));
    await client.ask();
    client.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
    await until(() => old.status().connections.open === 1, 'open');
    // The answer to another connection proves that the old one's loop has read what was sent before.
    await new RawClient(portOf(old, 'web')).ask();
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    const before = client.received.length;
    client.socket.write('67890');
    await until(() => client.received.slice(before).includes('old END'), 'the old one answers');
    expect(await client.ask()).toContain('new END');
  });

  test('a request whose body waits for 100 Continue is no boundary either', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const client = new RawClient(portOf(old, 'web'));
    client.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    await until(() => client.received.includes('100 Continue'), 'the body is asked for');
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    client.socket.write('12345');
    await until(() => client.received.includes('old END'), 'the old one answers');
    expect(await client.ask()).toContain('new END');
  });

  test('pipelined requests are all answered, in order', async () => {
    const old = await stage.pair.begin({ listeners });
    await old.serve('web', serverSaying('old')).ready();
    const client = new RawClient(portOf(old, 'web'));
    await client.ask();
    const before = client.received.length;
    client.socket.write(
      'GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    await until(() => (client.received.slice(before).match(/END/g) ?? []).length === 3, 'three answers');
  });

  test('what must stay is told Connection: close with its next answer, and idle ones are closed over the window', async () => {
    const old = await stage.pair.begin({ listeners, limits: { idleCloseSpreadMs: 200 } });
    await old.serve('web', serverSaying('old'), { migrate: false }).ready();
    const [busy, idle] = [new RawClient(portOf(old, 'web')), new RawClient(portOf(old, 'web'))];
    await idle.ask();
    const slow = busy.ask('/slow');
    await until(() => old.status().connections.open === 2, 'both are open');
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    expect(await slow).toMatch(/Connection: close/i);
    await until(() => idle.closed && busy.closed, 'both are closed');
    expect(await old.done).toMatchObject({ migrated: 0, drained: 2, killed: 0 });
  });

  test('WebSockets are closed with 1012', async () => {
    const closed: [number, string][] = [];
    const websockets = { clients: [{ close: (code: number, reason: string) => closed.push([code, reason]) }] };
    const old = await stage.pair.begin({ listeners, limits: { idleCloseSpreadMs: 20 } });
    await old.serve('web', serverSaying('old'), { websockets }).ready();
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    await until(() => closed.length === 1, 'it is closed');
    expect(closed).toEqual([[1012, 'service restart']]);
  });

  test('what is left at the end of the drain is cut and counted', async () => {
    const old = await stage.pair.begin({ listeners, limits: { drainMs: 200 } });
    await old.serve('web', serverSaying('old', 60_000)).ready();
    const client = new RawClient(portOf(old, 'web'));
    client.socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => old.status().connections.open === 1, 'open');
    await (await stage.pair.begin({ listeners })).serve('web', serverSaying('new')).ready();
    expect(await old.done).toMatchObject({ killed: 1 });
    await until(() => client.closed, 'it is cut');
  });
});
