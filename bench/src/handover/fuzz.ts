import { spawn } from 'node:child_process';
import path from 'node:path';
import type { BenchContext, Row } from '../bench.js';
import { LONG_PATIENCE_MS, lostOf } from './clients.js';
import { Chain, leakedBeyond } from './generations.js';

const SLOTS = 8;
const PEERS = 2;
const WARM_UP_SHARE = 0.3;
const WINDOWS = 4;

/** Between the end of the warm-up and the end, on the heap after garbage was collected. A hundred bytes lost per frame are seventy times as much. */
const MOST_GROWTH_MB = 1;

/** Peers that send frames which are nearly right, while clients are served: nobody may notice, and nothing may be left behind. */
export async function runFuzz(context: BenchContext, program: string, frames: number): Promise<Row> {
  context.say(`${frames} fuzzed frames`);
  const chain = await Chain.create(context.root, 'takeover');
  try {
    const old = chain.start(1);
    await old.hears('owner');
    const before = old.openDescriptors;
    const patienceMs = LONG_PATIENCE_MS;
    const clients = chain.startClients(program, { slots: SLOTS, mode: 'short', pauseUs: 5_000, patienceMs });
    await clients.answered(SLOTS);
    const told = await flood(context.root, chain.directory, frames * WARM_UP_SHARE, 1);
    // What the first frames needed (compiled code, tables of working size) is no growth yet.
    const usedMB = [await old.usedMB()];
    for (let window = 1; window <= WINDOWS; window++) {
      const share = (frames * (1 - WARM_UP_SHARE)) / WINDOWS;
      told.push(...(await flood(context.root, chain.directory, share, window * PEERS + 1)));
      usedMB.push(await old.usedMB());
    }
    await clients.answered(SLOTS);
    const seen = await clients.report();
    clients.stop();
    const leaked = await leakedBeyond(before, old);
    const grownMB = usedMB.at(-1)! - usedMB[0]!;
    const { failed } = await chain.takeOver(2);
    const sent = told.reduce((sum, one) => sum + one.sent, 0);
    return {
      name: 'fuzzed frames',
      ok: sent >= frames && lostOf(seen) === 0 && leaked === 0 && grownMB <= MOST_GROWTH_MB,
      frames: sent,
      peers: told.reduce((sum, one) => sum + one.connections, 0),
      answered: seen.ok,
      lost: lostOf(seen),
      failedAttempts: failed,
      leaked,
      usedMB: usedMB.map((each) => each.toFixed(2)).join(' '),
      grownMB,
    };
  } finally {
    await chain.close();
  }
}

/** Some peers at once. */
function flood(root: string, directory: string, frames: number, firstSeed: number): Promise<Told[]> {
  const each = Math.ceil(frames / PEERS);
  return Promise.all(
    Array.from({ length: PEERS }, (_, i) => fuzz(root, { directory, frames: each, seed: firstSeed + i })),
  );
}

interface Told {
  sent: number;
  connections: number;
}

/** Runs one peer to its end. @throws Error when it ended without saying what it did. */
function fuzz(root: string, options: { directory: string; frames: number; seed: number }): Promise<Told> {
  const program = path.join(root, 'packages/migration-agent/fixtures/fuzz-peer.mjs');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.once('close', () => {
      try {
        resolve(JSON.parse(text) as Told);
      } catch {
        reject(new Error('a fuzzing peer ended without a word'));
      }
    });
  });
}
