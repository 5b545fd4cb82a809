import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority, createLeaf, type KeyPair } from './certificates.js';
import { TlsFromFiles } from './from-files.js';
import type { ServingCertificate } from './tls-source.js';

let dir: string;
let authority: KeyPair;
let files: TlsFromFiles;
let served: ServingCertificate[];
let errors: unknown[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tls-'));
  authority = await createAuthority(new Date(), 3_600_000);
  served = [];
  errors = [];
  files = new TlsFromFiles({ dir, onError: (error) => errors.push(error), pollMs: 20 });
  files.onChange((certificate) => served.push(certificate));
});

afterEach(async () => {
  await files.stop();
  rmSync(dir, { recursive: true, force: true });
});

const newLeaf = () => createLeaf(authority, ['webhook.svc'], new Date(), 3_600_000);

const write = ({ cert, key }: KeyPair, into = dir) => {
  writeFileSync(join(into, 'tls.key'), key);
  writeFileSync(join(into, 'tls.crt'), cert);
};

const eventually = async (what: string, holds: () => boolean) => {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('a certificate from files', () => {
  test('is read with its end, and with the authority when there is one', async () => {
    const leaf = await newLeaf();
    write(leaf);
    writeFileSync(join(dir, 'ca.crt'), authority.cert);
    const certificate = await files.start();
    expect(certificate).toMatchObject({ cert: leaf.cert, key: leaf.key, caBundle: authority.cert });
    expect(certificate.notAfter > new Date()).toBe(true);
  });

  test('is followed when it changes', async () => {
    write(await newLeaf());
    await files.start();
    const renewed = await newLeaf();
    write(renewed);
    await eventually('the change is seen', () => served.length > 0);
    expect(served.at(-1)).toMatchObject({ cert: renewed.cert, caBundle: undefined });
  });

  test('is followed through the symbolic links of a mounted Secret', async () => {
    const renewed = await newLeaf();
    for (const [name, leaf] of [
      ['v1', await newLeaf()],
      ['v2', renewed],
    ] as const) {
      mkdirSync(join(dir, name));
      write(leaf, join(dir, name));
    }
    symlinkSync('v1', join(dir, '..data'));
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(dir, name));
    await files.start();
    symlinkSync('v2', join(dir, 'next'));
    renameSync(join(dir, 'next'), join(dir, '..data'));
    await eventually('the change is seen', () => served.length > 0);
    expect(served.at(-1)?.cert).toBe(renewed.cert);
  });

  test('stays in use while what is in the folder does not fit together', async () => {
    const leaf = await newLeaf();
    write(leaf);
    await files.start();
    writeFileSync(join(dir, 'tls.crt'), (await newLeaf()).cert);
    await eventually('the misfit is reported', () => errors.length > 0);
    expect(String(errors[0])).toContain('the key does not belong to the certificate');
    expect(served).toEqual([]);
  });

  test.each([
    ['there is none', () => undefined],
    ['it is no certificate', () => write({ cert: 'hello', key: 'world' })],
  ])('ends the start when %s', async (_, prepare) => {
    prepare();
    await expect(files.start()).rejects.toThrow();
  });
});
