import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findProxy, leaveOut } from '@sidestep/testkit';
import type { Finding } from '../src/doctor/finding.js';
import { followStatus } from '../src/status/client.js';
import { statusPath } from '../src/status/path.js';
import { type Fixture, Pod, until } from './processes.js';
import { isOwner } from './stage.js';

const ACTIVATED = fileURLToPath(new URL('../fixtures/activated.mjs', import.meta.url));
let pod: Pod;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(() => pod.close());

interface Diagnosis {
  code: number | null;
  of(check: string): Finding[];
}

async function diagnosed(doctor: Fixture): Promise<Diagnosis> {
  const { code } = await doctor.exited;
  await doctor.heard(({ line }) => line === '}');
  const text = doctor.told.map(({ line }) => line ?? '').join('\n');
  const { findings } = JSON.parse(text) as { findings: Finding[] };
  return { code, of: (check) => findings.filter((finding) => finding.check === check) };
}

const doctor = (args: string[], env: Record<string, string> = {}): Promise<Diagnosis> =>
  diagnosed(pod.agent(['doctor', '-o', 'json', ...args], env));

async function custodianReason(): Promise<string | undefined> {
  const { status } = await followStatus(statusPath(pod.directory, '1'), ({ reason }) => reason === 'keeping', 5_000);
  return status?.reason;
}

const PAIR = { SIDECARSET_VERSION: '5', SIDECARSET_VERSION_ALT: '1' };

describe('sidestep-agent doctor', () => {
  test('sees the agents of both containers, and finds no error in a pod that is well', async () => {
    const command = ['--', process.execPath, ACTIVATED, '{"version":"v1"}'];
    const listen = ['--listen', `web=127.0.0.1:${pod.port}`];
    await pod.agent(['run', ...listen, ...command], PAIR).heard(isOwner);
    pod.agent(['custodian'], { SIDECARSET_VERSION: '1', SIDECARSET_VERSION_ALT: '5' });
    await until(async () => (await custodianReason()) === 'keeping', 'the custodian has its duplicates');
    const { code, of } = await doctor([...listen, ...command], PAIR);
    expect(code).toBe(0);
    expect(of('agent')).toMatchObject([{ level: 'ok', where: 'slot 5' }]);
    expect(of('peer')).toMatchObject([{ level: 'ok', where: 'slot 1' }]);
    expect(of('versions')).toMatchObject([{ level: 'ok' }]);
    expect(of('program')).toMatchObject([{ level: 'ok' }]);
    for (const check of ['addon', 'launcher', 'fd-passing', 'memfd'])
      expect(of(check)).toMatchObject([{ level: 'ok' }]);
  });

  test('a private directory that does not exist is an error with what to do, and exit status 1', async () => {
    const SIDESTEP_DIR = join(pod.directory, 'absent');
    const { code, of } = await doctor([], { SIDESTEP_DIR });
    expect(code).toBe(1);
    expect(of('private-directory')).toMatchObject([{ level: 'error', where: SIDESTEP_DIR }]);
    expect(of('private-directory')[0]?.advice).toContain('emptyDir');
  });

  test('an open directory that is no mount gets two warnings, and is left as it is', async () => {
    const SIDESTEP_DIR = join(pod.directory, 'open');
    mkdirSync(SIDESTEP_DIR);
    chmodSync(SIDESTEP_DIR, 0o777);
    const { of } = await doctor([], { SIDESTEP_DIR });
    expect(of('private-directory').map(({ level, what }) => `${level}: ${what}`)).toEqual([
      'warning: is no mount, so the other container of the pair cannot see it',
      'warning: is open to others (mode 0777)',
    ]);
  });

  test.each([
    [{ SIDECARSET_VERSION: 'x', SIDECARSET_VERSION_ALT: '1' }, 'not two whole numbers'],
    [{ SIDECARSET_VERSION: '3', SIDECARSET_VERSION_ALT: '3' }, 'are both 3'],
  ])('the versions %j are an error', async (env, said) => {
    const { code, of } = await doctor([], { ...env, SIDESTEP_SLOT: 'x' });
    expect(code).toBe(1);
    expect(of('versions')[0]?.what).toContain(said);
  });

  test.each([
    [['--adapter', 'envoy', '--', 'envoy', '--base-id', '3'], '--base-id'],
    [['--adapter', 'envoy-restart', '--listen', 'web=8080', '--', 'envoy', '-c', 'x'], 'remove --listen'],
    [['--adapter', 'haproxy', '--', 'haproxy', '-D'], '-D'],
    [['--adapter', 'haproxy', '--', 'haproxy', '-c', '-f', 'x'], 'does not serve'],
    [['--adapter', 'nginx', '--', 'nginx'], 'needs --listen'],
    [['--adapter', 'nginx', '--listen', 'web=unix:/x', '--', 'nginx'], 'cannot take Unix listeners'],
    [['--adapter', 'nginx', '--listen', 'web=8080', '--', 'nginx', '-t'], 'does not serve'],
    [['--ready', 'always', '--', 'sleep', '1'], '--ready'],
    [['--adapter', 'exec', '--ready', 'notify', '--', 'sleep', '1'], 'a sign of its own'],
  ])('%j is what run would refuse', async (args, said) => {
    const { code, of } = await doctor(args);
    expect(code).toBe(1);
    expect(of('usage')).toMatchObject([{ level: 'error', what: expect.stringContaining(said) }]);
  });

  test('a program that is not there is an error', async () => {
    const { code, of } = await doctor(['--', 'no-such-program']);
    expect(code).toBe(1);
    expect(of('program')).toMatchObject([{ level: 'error', where: 'no-such-program' }]);
  });

  test.each([
    ['60', '28', 'ok'],
    ['29', '28', 'error'],
    [undefined, '28', 'ok'],
    [undefined, '40', 'warning'],
  ])('a grace period of %s s with a drain of %s s: %s', async (grace, drain, level) => {
    const given = grace === undefined ? [] : ['--grace', grace];
    const { of } = await doctor(given, { SIDESTEP_DRAIN_SECONDS: drain });
    expect(of('grace-period')).toMatchObject([{ level }]);
  });

  test('for a person it prints the worst first, and a count', async () => {
    const asked = pod.agent(['doctor', '--', 'no-such-program']);
    expect((await asked.exited).code).toBe(1);
    const end = await asked.heard(({ line }) => /^\d+ errors/.test(line ?? ''));
    expect(end.line).toMatch(/^1 errors, \d+ warnings, \d+ ok$/);
    expect(asked.told[0]?.line).toMatch(/^ERROR {3}program: /);
  });

  test.each([
    [['-o', 'yaml'], 'text and json'],
    [['--adapter', 'x'], 'allowed are'],
    [['--grace', 'long'], 'seconds'],
    [['--listen', 'web'], 'NAME=ADDRESS'],
  ])('%j is wrong usage', async (args, said) => {
    const wrong = pod.agent(['doctor', ...args]);
    expect((await wrong.exited).code).toBe(2);
    expect(wrong.stderr).toContain(said);
  });
});

const nginx = await findProxy('nginx', { download: false }).catch((error: Error) => error);

describe('sidestep-agent doctor with nginx', () => {
  if (nginx instanceof Error) {
    test('is left out of this run, with the reason', () => {
      leaveOut('sidestep-agent doctor with nginx', nginx.message);
      expect(nginx.message).not.toBe('');
    });
    return;
  }

  const configured = (listen: string): string[] => {
    const file = join(pod.directory, 'nginx.conf');
    writeFileSync(file, `pid ${pod.directory}/pid; events {} http { access_log off; server { ${listen} } }`);
    return ['--adapter', 'nginx', '--listen', `web=127.0.0.1:${pod.port}`, '--', nginx, '-e', 'stderr', '-c', file];
  };

  test('asks nginx for its whole configuration and compares the addresses', async () => {
    const well = await doctor(configured(`listen 127.0.0.1:${pod.port};`));
    expect(well.of('nginx-config')).toMatchObject([{ level: 'ok' }]);
    const other = await doctor(configured('listen 127.0.0.1:1;'));
    expect(other.code).toBe(1);
    expect(other.of('nginx-config').map(({ level }) => level)).toEqual(['error', 'error']);
  });

  test('a configuration that nginx refuses is an error with its own words', async () => {
    const { code, of } = await doctor(configured('no_such_directive;'));
    expect(code).toBe(1);
    expect(of('nginx-config')[0]?.what).toContain('no_such_directive');
  });
});
