import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Takeover, takeover } from '@sidestep/migration-agent';
import { removeScratch } from '@sidestep/testkit';
import type { BenchContext, Row } from '../bench.js';

/** Fewer than fit any socket buffer: what is missing at the end was lost by the hand-over, not by the kernel for want of room. */
const OUTSTANDING = 50;
const SETTLE_MS = 30_000;
const MOST_ATTEMPTS = 5;

/** Request and reply over UDP while the socket changes hands: every datagram must be answered. */
export async function runUdp({ say }: BenchContext, datagrams: number, handovers: number): Promise<Row> {
  say(`${datagrams} datagrams over ${handovers} hand-overs`);
  const directory = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  const started: Takeover[] = [];
  try {
    const first = await serving(directory, started);
    const address = first.address('dns');
    const client = new UdpClient('port' in address ? address.port : 0, datagrams);
    for (let i = 1; i <= handovers; i++) {
      await client.reached(Math.floor((datagrams * i) / (handovers + 1)));
      await serving(directory, started);
    }
    await client.reached(datagrams);
    const lost = await client.finish();
    return { name: 'UDP request and reply', ok: lost === 0, handovers, answered: datagrams - lost, lost };
  } finally {
    await Promise.all(started.map((agent) => agent.stop(50)));
    await removeScratch(directory);
  }
}

/** Both ends are in this process: after a standstill its deadlines are over before it has read anything. */
async function serving(directory: string, started: Takeover[]): Promise<Takeover> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryServing(directory, started);
    } catch (error) {
      if (attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

async function tryServing(directory: string, started: Takeover[]): Promise<Takeover> {
  const agent = await takeover({
    directory,
    listeners: { dns: { host: '127.0.0.1', port: 0, udp: true } },
    limits: { guardMs: 50 },
    afterDrain: 'end',
    handleSigterm: false,
    log: false,
  });
  started.push(agent);
  agent.serve('dns', () => {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => socket.send(message, from.port, from.address));
    return socket;
  });
  await agent.ready();
  return agent;
}

class UdpClient {
  readonly #socket: Socket = createSocket('udp4');
  readonly #missing = new Set<string>();
  readonly #port: number;
  readonly #total: number;
  #sent = 0;

  constructor(port: number, total: number) {
    this.#port = port;
    this.#total = total;
    this.#socket.on('message', (message) => {
      this.#missing.delete(message.toString());
      this.#send();
    });
    this.#socket.bind(0, '127.0.0.1', () => this.#send());
  }

  async reached(count: number): Promise<void> {
    const deadline = performance.now() + SETTLE_MS;
    let last = -1;
    // A lost datagram keeps its place among the outstanding ones; when all places are lost nothing moves any more.
    for (let until = deadline; this.#sent < count && performance.now() < until; ) {
      if (this.#sent !== last) until = performance.now() + SETTLE_MS;
      last = this.#sent;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for what is under way; returns how many were never answered. */
  async finish(): Promise<number> {
    const deadline = performance.now() + SETTLE_MS;
    while (this.#missing.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    this.#socket.close();
    return this.#missing.size + this.#total - this.#sent;
  }

  #send(): void {
    while (this.#missing.size < OUTSTANDING && this.#sent < this.#total) {
      const text = String(this.#sent++);
      this.#missing.add(text);
      this.#socket.send(text, this.#port, '127.0.0.1');
    }
  }
}
