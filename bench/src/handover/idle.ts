import { connect, type Socket } from 'node:net';
import type { BenchContext, Row } from '../bench.js';
import { Chain } from './generations.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** Thousands of idle keep-alive connections in one hand-over: each must be answered by the new process afterwards. */
export async function runIdle(context: BenchContext, wanted: number): Promise<Row> {
  context.say(`${wanted} idle connections move`);
  const chain = await Chain.create(context.root, 'takeover');
  const sockets: Socket[] = [];
  try {
    const old = chain.start(1, { limits: { guardMs: 1 } });
    await old.hears('owner');
    for (let i = 0; i < wanted; i += 250) {
      const batch = Array.from({ length: Math.min(250, wanted - i) }, (_, n) => opened(chain.port, (i + n) % 60));
      sockets.push(...(await Promise.all(batch)));
    }
    await Promise.all(sockets.map((socket) => asked(socket)));
    const startedAt = performance.now();
    const { failed } = await chain.takeOver(2);
    const committedAt = performance.now();
    const { migrated = 0 } = await old.hears('done');
    const doneAt = performance.now();
    const answers = await Promise.all(sockets.map((socket) => asked(socket)));
    const answeredAt = performance.now();
    const byNew = answers.filter((answer) => answer.endsWith('2')).length;
    return {
      name: 'idle connections moved',
      ok: migrated === wanted && byNew === wanted,
      connections: wanted,
      migrated,
      answeredByNew: byNew,
      lost: wanted - byNew,
      failedAttempts: failed,
      startToCommitMs: committedAt - startedAt,
      commitToDrainedMs: doneAt - committedAt,
      // All ask at once; the new process has made no socket of Node's for any of them before.
      allAnsweredMs: answeredAt - doneAt,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await chain.close();
  }
}

function opened(port: number, source: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.1.0.${source + 1}` });
    socket.once('connect', () => resolve(socket)).once('error', reject);
    socket.on('error', () => undefined);
  });
}

/** One request; resolves with the whole answer, or with nothing when the connection ends. */
function asked(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!/\r\n\r\n\d+$/.test(text)) return;
      socket.off('data', onData);
      resolve(text);
    };
    socket.on('data', onData);
    socket.once('close', () => resolve(''));
    socket.write(REQUEST);
  });
}
