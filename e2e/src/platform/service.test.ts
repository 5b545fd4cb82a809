import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Service, until } from './service.js';

let folder: string;
let service: Service;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sidestep-service-'));
  const file = path.join(folder, 'program.mjs');
  writeFileSync(file, 'console.log("up " + process.pid); setInterval(() => {}, 1_000);');
  service = new Service({ name: 'program', file }, folder);
});

afterEach(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

/** Processes of this program that this process started, by the shells that bind them to it. */
const started = (): string[] => {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(service.spec.file));
};

test('a program that several ask for at the same time is started once', async () => {
  await Promise.all([service.start(), service.start()]);
  await service.start();
  expect(started()).toHaveLength(1);
});

test('one that is killed while it is started is gone, and comes back when it is asked for', async () => {
  const starting = service.start();
  await service.kill();
  await starting;
  await until(() => !service.isAlive, 'its end');
  expect(started()).toEqual([]);
  await service.start();
  expect(started()).toHaveLength(1);
});
