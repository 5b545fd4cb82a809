import { describe, expect, test } from '@jest/globals';
import { listenerPlansOf } from '../takeover/listener-spec.js';
import { runArguments } from './examined.js';
import type { Finding } from './finding.js';
import { haproxyConfigFindings } from './haproxy.js';
import { mosnConfigFindings } from './mosn.js';
import { nginxConfigFindings } from './nginx.js';

const wrong = (findings: Finding[]): string[] =>
  findings.filter(({ level }) => level !== 'ok').map(({ level, what }) => `${level}: ${what}`);

describe('a configuration of nginx', () => {
  const check = (text: string, listen: string[], ready?: string): string[] =>
    wrong(nginxConfigFindings(text, listenerPlansOf(listen), ready, 'nginx.conf'));

  test.each([
    ['server { listen 8080; }', ['web=8080']],
    ['server { listen *:8080 default_server; }', ['web=8080']],
    ['server { listen 127.0.0.1; }', ['web=127.0.0.1:80']],
    ['server { listen localhost:81; }', ['web=127.0.0.1:81']],
    ['server{listen [::]:8080 ipv6only=on;listen 0.0.0.0:8080;}', ['six=[::]:8080', 'four=8080']],
    ['server { listen 8080; # listen 9090;\n }', ['web=8080']],
    ['server { listen 8080; listen unix:/run/other.sock; }', ['web=8080']],
  ])('%s fits %j', (text, listen) => {
    expect(check(text, listen)).toEqual([]);
  });

  test.each([
    [
      'server { listen 8080; }',
      ['web=8081'],
      ['error: nginx has no "listen 0.0.0.0:8081"', 'error: "listen 0.0.0.0:8080" has no --listen'],
    ],
    [
      'server { listen 127.0.0.1:8080; }',
      ['web=8080'],
      ['error: nginx has no "listen 0.0.0.0:8080"', 'error: "listen 127.0.0.1:8080" has no --listen'],
    ],
    ['server { listen 8080 reuseport; }', ['web=8080'], ['error: "reuseport" on a listen']],
    ['master_process off; server { listen 8080; }', ['web=8080'], ['error: "master_process off"']],
  ])('%s does not fit %j', (text, listen, said) => {
    expect(check(text, listen)).toEqual(said);
  });

  test('the private listener of --ready has to be there', () => {
    const text = 'server { listen 8080; } server { listen unix:/run/a.sock; }';
    expect(check(text, ['web=8080'], 'unix:/run/a.sock')).toEqual([]);
    expect(check(text, ['web=8080'], 'unix:/run/b.sock')).toEqual(['error: nginx has no "listen unix:/run/b.sock"']);
  });
});

describe('a configuration of HAProxy', () => {
  const check = (bind: string, names: string[], more = 'hard-stop-after 28s'): string[] =>
    wrong(haproxyConfigFindings(`global\n  ${more}\nfrontend main\n  bind ${bind}\n`, names, 'haproxy.cfg'));

  test.each([
    ['fd@3', ['web']],
    ['"fd@$SIDESTEP_FD_WEB" ssl crt /etc/a.pem', ['web']],
    [`"fd@$${'{SIDESTEP_FD_WEB_TLS}'}"`, ['web-tls']],
    ['fd@3,fd@4', ['a', 'b']],
    ['fd@3\n  bind /run/haproxy-extra.sock', ['web']],
  ])('bind %s fits %j', (bind, names) => {
    expect(check(bind, names)).toEqual([]);
  });

  test.each([
    ['fd@4', ['web'], ['error: no bind takes its descriptor']],
    [':8080', ['web'], ['error: no bind takes its descriptor', 'error: "bind :8080"']],
    ['fd@3\n  bind 127.0.0.1:9000 # stats', ['web'], ['error: "bind 127.0.0.1:9000"']],
  ])('bind %s does not fit %j', (bind, names, said) => {
    expect(check(bind, names)).toEqual(said);
  });

  test('what works with a catch is a warning', () => {
    expect(check('fd@3', ['web'], 'daemon')).toEqual([
      'warning: "daemon" has no effect under the agent',
      'warning: no "hard-stop-after": the agent cuts what outlives SIDESTEP_DRAIN_SECONDS',
    ]);
  });
});

describe('a configuration of MOSN', () => {
  const check = (given: object, drainMs?: number): string[] =>
    wrong(mosnConfigFindings(JSON.stringify(given), 'mosn.json', '/run/sidestep', drainMs));

  test('is well when both containers share its uds_dir and the old one has its time', () => {
    expect(check({ uds_dir: '/run/sidestep/mosn' }, 40_000)).toEqual([]);
  });

  test.each([
    [{}, 40_000, 'error: uds_dir is not set: the new MOSN would not find the old one'],
    [
      { uds_dir: '/run/sidestep-other' },
      40_000,
      'error: uds_dir is /run/sidestep-other: the new MOSN would not find the old one',
    ],
    [{ uds_dir: '/run/sidestep', inherit_old_mosnconfig: true }, 40_000, 'warning: "inherit_old_mosnconfig" is true'],
    [
      { uds_dir: '/run/sidestep' },
      undefined,
      'warning: a MOSN that was succeeded leaves after 37 s, and is cut before',
    ],
  ])('%j with a drain of %s ms: %s', (given, drainMs, said) => {
    expect(check(given, drainMs)).toEqual([said]);
  });
});

test.each([
  [
    ['node', '/opt/sidestep/bin/sidestep-agent.cjs', 'run', '--adapter', 'exec', '--', 'x'],
    ['--adapter', 'exec', '--', 'x'],
  ],
  [
    ['node', '/usr/local/bin/sidestep-agent', 'run', '--', 'run'],
    ['--', 'run'],
  ],
  [['node', '/usr/local/bin/sidestep-agent', 'custodian'], undefined],
  [['sh', '-c', 'sleep 1'], undefined],
  [[], undefined],
])('the command line %j runs %j', (commandLine, expected) => {
  expect(runArguments(commandLine)).toEqual(expected);
});
