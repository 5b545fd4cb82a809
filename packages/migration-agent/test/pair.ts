import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { removeScratch } from '@sidestep/testkit';
import type { Takeover, TakeoverOptions } from '../src/takeover/api.js';
import type { Internals } from '../src/takeover/settings.js';
import { takeoverWith } from '../src/takeover/takeover.js';
import { clients } from './raw-client.js';

/** Old and new in one process, which the protocol does not mind: a directory and everything that was started in it. */
export class Pair {
  readonly directory = mkdtempSync(join(tmpdir(), 'sidestep-pair-'));
  readonly #started: Takeover[] = [];

  async begin(options: Partial<TakeoverOptions>, internals: Internals = {}): Promise<Takeover> {
    const given = { directory: this.directory, listeners: {}, handleSigterm: false, log: false as const, ...options };
    const agent = await takeoverWith({ ...given, limits: { guardMs: 100, ...options.limits } }, internals);
    this.#started.push(agent);
    return agent;
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((agent) => agent.stop(50)));
    await removeScratch(this.directory);
  }
}

export function portOf(agent: Takeover, name: string): number {
  const address = agent.address(name);
  return 'port' in address ? address.port : 0;
}

/** A pair for each test of a file. Clients end before it, so that it has nothing to drain. */
export function usePair(): { readonly pair: Pair } {
  const stage = { pair: undefined as unknown as Pair };
  beforeEach(() => {
    stage.pair = new Pair();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await stage.pair.close();
  });
  return stage;
}
