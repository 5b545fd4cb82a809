import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Load } from './load.js';
import { type Fixture, Pod } from './processes.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/node-servers/', import.meta.url));
const isOwner = ({ role }: { role?: string }) => role === 'owner';

let pod: Pod;
let load: Load | undefined;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  await pod.close();
});

test.each(['fastify', 'nestjs'])(
  'the %s example hands its socket and its kept-alive connections over without losing a request',
  async (framework) => {
    const started = async (VERSION: string): Promise<Fixture> => {
      const env = {
        VERSION,
        LISTEN: `127.0.0.1:${pod.port}`,
        SIDESTEP_DIR: pod.directory,
        SIDESTEP_GUARD_SECONDS: '1',
      };
      const server = pod.program(process.execPath, [`${EXAMPLES}${framework}.mjs`], env);
      await server.heard(isOwner);
      return server;
    };
    const first = await started('v1');
    load = new Load({ port: pod.port, short: 2, keepAlive: 4, pauseMs: 2 });
    await load.answered(30);
    await started('v2');
    await load.answered(60);
    expect((await first.exited).code).toBe(0);
    const { refused, otherErrors, versions } = await load.stop();
    expect({ refused, otherErrors, versions: [...versions.keys()] }).toEqual({
      refused: 0,
      otherErrors: [],
      versions: ['v1', 'v2'],
    });
  },
  120_000,
);
