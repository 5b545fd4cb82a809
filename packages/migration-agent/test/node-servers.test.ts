import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Fixture } from './processes.js';
import { SLOW_TEST_MS, serving, useStage } from './stage.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/node-servers/', import.meta.url));
const stage = useStage();

test.each(['fastify', 'nestjs'])(
  'the %s example hands its socket and its kept-alive connections over without losing a request',
  async (framework) => {
    const { pod } = stage;
    const started = (VERSION: string): Promise<Fixture> => {
      const env = {
        VERSION,
        LISTEN: `127.0.0.1:${pod.port}`,
        SIDESTEP_DIR: pod.directory,
        SIDESTEP_GUARD_SECONDS: '1',
      };
      return serving(pod.program(process.execPath, [`${EXAMPLES}${framework}.mjs`], env));
    };
    const first = await started('v1');
    const { seen } = await stage.clients({ short: 2, keepAlive: 4 });
    await started('v2');
    await stage.answeredBy('v2');
    expect((await first.exited).code).toBe(0);
    await stage.nothingLost();
    expect([...seen.versions.keys()]).toEqual(['v1', 'v2']);
  },
  SLOW_TEST_MS,
);
