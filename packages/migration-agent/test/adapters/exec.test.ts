// A program that opens its sockets itself cannot keep what the other adapters promise: there is a gap. What it can keep is here.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from '../load.js';
import { type Fixture, Pod, until } from '../processes.js';
import { get } from './adapter.contract.js';
import { Upstream } from './upstream.js';

const isOwner = ({ role }: { role?: string }) => role === 'owner';

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
  let pod: Pod;
  let upstream: Upstream;
  let load: Load | undefined;
  beforeEach(async () => {
    pod = await Pod.create();
    upstream = await Upstream.start();
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await pod.close();
    await upstream.close();
  });

  const start = (script: string, env: Record<string, string> = {}): Fixture => {
    const listen = ['--listen', `web=127.0.0.1:${pod.port}`];
    return pod.agent(['run', '--adapter', 'exec', ...listen, '--', process.execPath, '-e', script], {
      SIDESTEP_GUARD_SECONDS: '1',
      ...env,
    });
  };
  const serving = async (says: string, env: Record<string, string> = {}): Promise<Fixture> => {
    const fixture = start(program(pod.port, says, upstream.port), env);
    await fixture.heard(isOwner);
    return fixture;
  };
  const answeredBy = async (says: string): Promise<void> => {
    load ??= new Load({ port: pod.port, short: 2, pauseMs: 2 });
    const { seen } = load;
    const before = seen.versions.get(says) ?? 0;
    await until(() => (seen.versions.get(says) ?? 0) > before + 10, `${says} answers`);
  };

  test('runs one version after the other, and a request that the old one has begun is answered', async () => {
    const first = await serving('v1');
    const held = get(pod.port, '/held');
    await until(() => upstream.held === 1, 'the request is at the upstream');
    const second = await serving('v2');
    await answeredBy('v2');
    upstream.release();
    expect(await held).toBe('late');
    expect((await first.exited).code).toBe(0);
    expect(second.running).toBe(true);
  }, 180_000);

  test('a version that ends at its start gives way to the old one, which is started again', async () => {
    const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
    const second = start('process.exit(3)');
    expect((await second.exited).code).toBe(1);
    await answeredBy('v1');
    expect(first.running).toBe(true);
  }, 180_000);

  test('a version killed in the guard is replaced by the old one', async () => {
    const first = await serving('v1', { SIDESTEP_GUARD_SECONDS: '30' });
    const second = await serving('v2');
    second.child.kill('SIGKILL');
    await first.heard('resumed');
    await answeredBy('v1');
  }, 180_000);

  test('SIGTERM with no successor lets it finish what it has', async () => {
    const only = await serving('v1');
    const held = get(pod.port, '/held');
    await until(() => upstream.held === 1, 'the request is at the upstream');
    only.child.kill('SIGTERM');
    await until(
      () =>
        get(pod.port, '/').then(
          () => false,
          () => true,
        ),
      'nobody listens any more',
    );
    upstream.release();
    expect(await held).toBe('late');
    expect((await only.exited).code).toBe(0);
  }, 180_000);
});
