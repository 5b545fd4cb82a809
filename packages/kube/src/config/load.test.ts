import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { loadKubeConfig } from './load.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (name: string, content: object | string): string => {
  const file = join(dir, name);
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  return file;
};

const kubeconfig = (cluster: object, user: object = {}, name = 'demo') => ({
  'current-context': name,
  contexts: [{ name, context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
  clusters: [{ name: 'c', cluster }],
  users: [{ name: 'u', user }],
});

describe('a kubeconfig', () => {
  test('gives the server of its current context, plain http too, and the namespace', () => {
    const file = write('config', kubeconfig({ server: 'http://127.0.0.1:8001/' }));
    expect(loadKubeConfig({ kubeconfig: file })).toMatchObject({ server: 'http://127.0.0.1:8001', namespace: 'shop' });
  });

  const b64 = (text: string) => Buffer.from(text).toString('base64');
  test.each<[string, object, object, object]>([
    ['a token', {}, { token: 't' }, { headers: { authorization: 'Bearer t' } }],
    [
      'a name and password',
      {},
      { username: 'a', password: 'b' },
      { headers: { authorization: `Basic ${b64('a:b')}` } },
    ],
    ['impersonation', {}, { token: 't', as: 'jane' }, { headers: { 'impersonate-user': 'jane' } }],
    [
      'certificates inside it',
      { 'certificate-authority-data': b64('CA') },
      { 'client-certificate-data': b64('CERT'), 'client-key-data': b64('KEY') },
      { tls: { ca: Buffer.from('CA'), cert: Buffer.from('CERT'), key: Buffer.from('KEY') } },
    ],
    ['no verification', { 'insecure-skip-tls-verify': true }, {}, { tls: { rejectUnauthorized: false } }],
    ['another server name', { 'tls-server-name': 'api' }, {}, { tls: { servername: 'api' } }],
  ])('with %s gives the credentials', async (_, cluster, user, expected) => {
    const file = write('config', kubeconfig({ server: 'https://api', ...cluster }, user));
    expect(await loadKubeConfig({ kubeconfig: file }).credentials()).toMatchObject(expected);
  });

  test('finds files beside it, and reads them again each time', async () => {
    write('ca.pem', 'CA');
    write('token', 'first\n');
    const file = write(
      'config',
      kubeconfig({ server: 'https://api', 'certificate-authority': 'ca.pem' }, { tokenFile: 'token' }),
    );
    const connection = loadKubeConfig({ kubeconfig: file });
    expect(await connection.credentials()).toMatchObject({
      tls: { ca: Buffer.from('CA') },
      headers: { authorization: 'Bearer first' },
    });
    write('token', 'second\n');
    expect(await connection.credentials()).toMatchObject({ headers: { authorization: 'Bearer second' } });
  });

  test('of several is right that comes first', () => {
    const one = write('one', { ...kubeconfig({ server: 'https://one' }), users: undefined });
    const two = write('two', kubeconfig({ server: 'https://two' }, {}, 'other'));
    expect(loadKubeConfig({ kubeconfig: [one, two].join(delimiter) }).server).toBe('https://one');
    expect(loadKubeConfig({ kubeconfig: [one, two].join(delimiter), context: 'other' }).server).toBe('https://one');
  });

  test('of several may be missing, but not all', () => {
    const missing = [join(dir, 'none'), join(dir, 'neither')];
    const file = write('config', kubeconfig({ server: 'https://api' }));
    for (const files of [
      [...missing, file],
      [file, ...missing],
    ]) {
      expect(loadKubeConfig({ kubeconfig: files.join(delimiter) }).server).toBe('https://api');
    }
    expect(() => loadKubeConfig({ kubeconfig: missing.join(delimiter) })).toThrow('none of the kubeconfigs');
  });

  test('that asks a program for credentials gets them', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-exec' },
    };
    const program = write('login', `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
    chmodSync(program, 0o700);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never' };
    const file = write('config', kubeconfig({ server: 'http://api' }, { exec }));
    expect(await loadKubeConfig({ kubeconfig: file }).credentials()).toMatchObject({
      headers: { authorization: 'Bearer from-exec' },
    });
  }, 60_000);

  test('in the home directory is found when none is named', () => {
    mkdirSync(join(dir, '.kube'));
    write('.kube/config', kubeconfig({ server: 'https://home' }));
    expect(loadKubeConfig({ home: dir }).server).toBe('https://home');
  });

  test.each<[string, object | string, string]>([
    ['is not there', '', 'cannot read the kubeconfig'],
    ['is not YAML', '{a: [', 'cannot read the kubeconfig'],
    ['is empty', '\n', 'is empty'],
    ['has no such context', { 'current-context': 'x', contexts: [{ name: 'a', context: {} }] }, 'has no context "x"'],
    ['has no current context', { contexts: [] }, 'has no context ""'],
    [
      'has a context without a cluster',
      { 'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'c' } }] },
      'no server',
    ],
    ['has no lists', { 'current-context': 'a', contexts: 'none', clusters: null }, 'has no context "a"'],
  ])('that %s is refused with a sentence', (what, content, message) => {
    const file = what === 'is not there' ? join(dir, 'none') : write('config', content);
    expect(() => loadKubeConfig({ kubeconfig: file })).toThrow(
      expect.objectContaining({
        name: 'KubeConfigError',
        message: expect.stringContaining(message),
        hint: expect.any(String),
      }),
    );
  });
});

describe('in a cluster', () => {
  test('the service account is used, its token read again each time', async () => {
    write('token', 'bound-1');
    write('ca.crt', 'CA');
    write('namespace', 'kruise-system');
    const connection = loadKubeConfig({ serviceAccountDir: dir });
    expect(connection).toMatchObject({ server: 'https://kubernetes.default.svc', namespace: 'kruise-system' });
    write('token', 'bound-2');
    expect(await connection.credentials()).toEqual({
      headers: { authorization: 'Bearer bound-2' },
      tls: { ca: Buffer.from('CA') },
    });
  });

  test('with no service account there is a sentence that says what to do', () => {
    expect(() => loadKubeConfig({ serviceAccountDir: dir })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('KUBECONFIG') }),
    );
  });
});
