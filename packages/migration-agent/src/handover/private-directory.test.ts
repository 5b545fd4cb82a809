import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NamedSocket, PrivateDirectory } from './private-directory.js';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sidestep-dir-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe('the private directory', () => {
  test('is closed to everybody else, also when a kubelet made it open', () => {
    const path = join(parent, 'open');
    mkdirSync(path, { mode: 0o777 });
    chmodSync(path, 0o777);
    expect(lstatSync(new PrivateDirectory(path).path).mode & 0o777).toBe(0o700);
  });

  test('gives everybody who comes the same secret, readable by the owner only', () => {
    const path = join(parent, 'new');
    const secrets = Array.from({ length: 5 }, () => new PrivateDirectory(path).secret);
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(secrets[0]).toHaveLength(32);
    expect(lstatSync(join(path, 'secret')).mode & 0o777).toBe(0o600);
    expect(readdirSync(path)).toEqual(['secret']);
  });

  test.each([
    ['that others can read', (path: string) => chmodSync(path, 0o644)],
    ['of the wrong length', (path: string) => writeFileSync(path, 'short')],
  ])('refuses a secret %s', (_, spoil) => {
    const { path } = new PrivateDirectory(parent);
    spoil(join(path, 'secret'));
    expect(() => new PrivateDirectory(parent)).toThrow(expect.objectContaining({ code: 'UNSAFE_DIRECTORY' }));
  });

  test('a path too long for Unix sockets is reached by a shorter name', () => {
    const long = join(parent, 'x'.repeat(90), 'y'.repeat(40));
    const directory = new PrivateDirectory(long);
    const socket = new NamedSocket(directory.takeoverPath);
    socket.claim();
    expect(existsSync(join(long, 'takeover.sock'))).toBe(true);
    socket.close();
  });
});

describe('the take-over socket', () => {
  const path = () => join(parent, 'takeover.sock');

  test('is there from one owner to the next without a moment between', () => {
    const first = new NamedSocket(path());
    first.claim();
    const inode = lstatSync(path()).ino;
    const second = new NamedSocket(path());
    expect(lstatSync(path()).ino).toBe(inode);
    second.claim();
    expect(lstatSync(path()).ino).not.toBe(inode);
    second.close();
  });

  test('is not removed by an owner that has been succeeded', () => {
    const [first, second] = [new NamedSocket(path()), new NamedSocket(path())];
    first.claim();
    second.claim();
    first.close();
    expect(existsSync(path())).toBe(true);
    second.close();
    expect(readdirSync(parent)).toEqual([]);
  });
});
