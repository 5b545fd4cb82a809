// A program that opens its sockets itself cannot keep what the other adapters promise: there is a gap. What it can keep is here.
import { describe, expect, test } from '@jest/globals';
import { type Fixture, until } from '../processes.js';
import { serving as isServing, SLOW_TEST_MS, useStage } from '../stage.js';
import { get, refused } from './adapter.contract.js';

/** Binds by itself, forwards /held, and finishes its answers on SIGTERM. */
const program = (port: number, says: string, upstreamPort: number): string => `
  const { createServer, get } = require('node:http');
  const server = createServer((request, answer) => {
    if (request.url !== '/held') return answer.end('${says}');
    get('http://127.0.0.1:${upstreamPort}/held', (held) => held.pipe(answer));
  });
  server.listen(${port}, '127.0.0.1');
  process.on('SIGTERM', () => server.close());
`;

describe('the exec adapter', () => {
  const stage = useStage();
  const start = (script: string, env: Record<string, string> = {}): Fixture => {
    const listen = ['--listen', `web=127.0.0.1:${stage.pod.port}`];
    return stage.pod.agent(['run', '--adapter', 'exec', ...listen, '--', process.execPath, '-e', script], {
      SIDESTEP_GUARD_SECONDS: '1',
      ...env,
    });
  };
  const serving = (says: string, env: Record<string, string> = {}): Promise<Fixture> =>
    isServing(start(program(stage.pod.port, says, stage.upstream.port), env));
  const answers = async (says: string): Promise<void> => {
    await stage.clients({ short: 2 });
    await stage.answeredBy(says);
  };

  test(
    'runs one version after the other, and a request that the old one has begun is answered',
    async () => {
      const first = await serving('v1');
      const held = get(stage.pod.port, '/held');
      await until(() => stage.upstream.held === 1, 'the request is at the upstream');
      const second = await serving('v2');
      await answers('v2');
      stage.upstream.release();
      expect(await held).toBe('late');
      expect((await first.exited).code).toBe(0);
      expect(second.running).toBe(true);
    },
    SLOW_TEST_MS,
  );

  test(
    'a version that ends at its start gives way to the old one, which is started again',
    async () => {
      const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
      const second = start('process.exit(3)');
      expect((await second.exited).code).toBe(1);
      expect(second.stderr).toContain('ended with code 3 before it was ready (no answer on its addresses)');
      await answers('v1');
      expect(first.running).toBe(true);
    },
    SLOW_TEST_MS,
  );

  test(
    'a version killed in the guard is replaced by the old one',
    async () => {
      const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
      const second = await serving('v2');
      second.child.kill('SIGKILL');
      await first.heard('resumed');
      await answers('v1');
    },
    SLOW_TEST_MS,
  );

  test(
    'SIGTERM with no successor lets it finish what it has',
    async () => {
      const only = await serving('v1');
      const held = get(stage.pod.port, '/held');
      await until(() => stage.upstream.held === 1, 'the request is at the upstream');
      only.child.kill('SIGTERM');
      await until(() => refused(stage.pod.port), 'nobody listens any more');
      stage.upstream.release();
      expect(await held).toBe('late');
      expect((await only.exited).code).toBe(0);
    },
    SLOW_TEST_MS,
  );
});
