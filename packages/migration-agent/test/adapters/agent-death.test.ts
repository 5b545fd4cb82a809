// In a container the kernel ends everything with pid 1. These agents are not pid 1, and are killed.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { titleOf } from '../../src/adapters/processes.js';
import { type Fixture, until } from '../processes.js';
import { PATIENCE_MS, SLOW_TEST_MS, serving, useStage } from '../stage.js';
import { get } from './adapter.contract.js';
import { programsOf } from './containers.js';
import { writeListeners } from './envoy-config.js';
import { EnvoyPod, freePorts } from './envoy-pod.js';
import { withRealProxy } from './real-program.js';

const stage = useStage();

const run = (adapter: string, command: string[], listens = true): Fixture => {
  const listen = listens ? ['--listen', `web=127.0.0.1:${stage.pod.port}`] : [];
  return stage.pod.agent(['run', '--adapter', adapter, ...listen, '--', ...command]);
};

const write = (name: string, content: string): string => {
  const file = join(stage.pod.directory, name);
  writeFileSync(file, content);
  return file;
};

const running = (pids: number[]): number[] => pids.filter((pid) => titleOf(pid) !== '');

/** Kills the agent; every process of its program ends as well. */
async function endsWithItsAgent(agent: Fixture, processes: number): Promise<void> {
  const programs = programsOf(agent);
  expect(programs.length).toBeGreaterThanOrEqual(processes);
  try {
    agent.child.kill('SIGKILL');
    await agent.exited;
    await until(() => running(programs).length === 0, 'nothing of the program is left', 20_000);
  } finally {
    for (const pid of running(programs)) process.kill(pid, 'SIGKILL');
  }
}

/** Says READY=1 where it is asked to, and is deaf to SIGTERM. */
const SERVER = `
  const { createServer } = require('node:http');
  process.on('SIGTERM', () => 0);
  const where = process.env.LISTEN_FDS ? { fd: 3 } : { port: Number(process.argv[1]), host: '127.0.0.1' };
  createServer((_, answer) => answer.end('up')).listen(where, () => console.log('serves'));
`;

describe('a program ends with its agent', () => {
  test.each([
    ['activation', ['--ready', 'log:^serves$']],
    ['exec', []],
  ])(
    'under %s: behind a shell, in a session of its own, deaf to SIGTERM',
    async (adapter, options) => {
      const script = write('server.cjs', SERVER.replace('process.argv[1]', 'process.argv[2]'));
      const command = `setsid "${process.execPath}" "${script}" ${stage.pod.port} & wait`;
      const listen = ['--listen', `web=127.0.0.1:${stage.pod.port}`];
      const given = ['run', '--adapter', adapter, ...listen, ...options, '--', 'sh', '-c', command];
      const agent = await serving(stage.pod.agent(given));
      expect(await get(stage.pod.port, '/')).toBe('up');
      await endsWithItsAgent(agent, 2);
    },
    SLOW_TEST_MS,
  );

  test(
    'also one that asks the kernel for another signal than SIGKILL, as Envoy does, and is deaf to it',
    async () => {
      const asks = 'import ctypes, signal, time; ctypes.CDLL(None).prctl(1, signal.SIGTERM)';
      const deaf = 'signal.signal(signal.SIGTERM, signal.SIG_IGN); print("serves", flush=True); time.sleep(600)';
      const options = ['--ready', 'log:^serves$', '--listen', `web=127.0.0.1:${stage.pod.port}`];
      const agent = await serving(stage.pod.agent(['run', ...options, '--', 'python3', '-c', `${asks}; ${deaf}`]));
      await endsWithItsAgent(agent, 1);
    },
    SLOW_TEST_MS,
  );

  test(
    'and what a program leaves behind ends with the program',
    async () => {
      const script = write('server.cjs', SERVER);
      const left = join(stage.pod.directory, 'left');
      // The shell ends as soon as it is told to; the sleeper knows nothing of it.
      const command = `(sleep 600 & echo $! > "${left}"); "${process.execPath}" "${script}" & echo serves; wait`;
      const agent = stage.pod.agent([
        'run',
        '--ready',
        'log:^serves$',
        '--listen',
        `web=127.0.0.1:${stage.pod.port}`,
        '--',
        'sh',
        '-c',
        command,
      ]);
      await serving(agent);
      const programs = [...programsOf(agent), Number(readFileSync(left, 'utf8'))];
      try {
        agent.child.kill('SIGTERM');
        expect((await agent.exited).code).toBe(0);
        expect(running(programs)).toEqual([]);
      } finally {
        for (const pid of running(programs)) process.kill(pid, 'SIGKILL');
      }
    },
    SLOW_TEST_MS,
  );
});

await withRealProxy('nginx', (program) => {
  test(
    'nginx ends with its agent, also its workers, which run as another user',
    async () => {
      const { directory, port } = stage.pod;
      const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (what) => `${what}_temp_path ${directory}/${what};`,
      );
      const file = write(
        'nginx.conf',
        `user nobody nogroup; worker_processes 2; pid ${directory}/pid; error_log stderr warn; daemon off; events {}
         http { access_log off; ${scratch.join(' ')} server { listen 127.0.0.1:${port}; return 200 up; } }`,
      );
      const agent = await serving(run('nginx', [program, '-e', 'stderr', '-c', file]));
      await endsWithItsAgent(agent, 3);
    },
    SLOW_TEST_MS,
  );
});

await withRealProxy('haproxy', (program) => {
  test(
    'HAProxy ends with its agent, also when it changes its user',
    async () => {
      const file = write(
        'haproxy.cfg',
        `global
  user nobody
  group nogroup
defaults
  mode http
  timeout client 30s
frontend main
  bind fd@3
  http-request return status 200 content-type text/plain string up
`,
      );
      await endsWithItsAgent(await serving(run('haproxy', [program, '-f', file])), 1);
    },
    SLOW_TEST_MS,
  );
});

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);
if (envoys instanceof Error) {
  const why = envoys.message;
  test('Envoy is left out', () => leaveOut('an Envoy whose agent is killed', why));
} else {
  test(
    'Envoy ends with its agent, also while it waits for an answer of that',
    async () => {
      const envoy = new EnvoyPod(envoys, stage);
      const own = `tcp://127.0.0.1:${stage.pod.port}`;
      await endsWithItsAgent(await envoy.serving({ label: 'v1', ports: [stage.pod.port] }), 1);
      // More than its agent can answer for before it is stopped: Envoy waits for the next answer, and does nothing else.
      const lds = join(stage.pod.directory, 'listeners.json');
      writeListeners(lds, [{ label: 'v2', ports: await freePorts(200) }]);
      const agent = envoy.start({ label: 'v2', ports: [stage.pod.port], lds });
      await agent.heard(({ event, address }) => event === 'envoy-asks-for-socket' && address !== own, PATIENCE_MS);
      agent.child.kill('SIGSTOP');
      await endsWithItsAgent(agent, 1);
    },
    SLOW_TEST_MS,
  );
}
