import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { rehearse } from '../src/index.js';
import { openDescriptors, Pod, until } from './processes.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rehearse-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const answered = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).once('error', reject);
  });

test('a rehearsal hands over from one end to the other on one port, and leaves nothing behind', async () => {
  const ends: string[] = [];
  const visits: { port: number; answer: string }[] = [];
  const play = () =>
    rehearse({
      directory,
      serve: (end) => {
        const name = end.inherited ? 'new' : 'old';
        ends.push(name);
        end.serve(
          'rehearsal',
          createServer((_, response) => response.end(name)),
        );
      },
      visit: async (port) => void visits.push({ port, answer: await answered(port) }),
    });
  expect(await play()).toBe(true);
  expect(ends).toEqual(['old', 'new']);
  expect(visits.map(({ answer }) => answer)).toEqual(['old', 'new']);
  expect(visits[1]?.port).toBe(visits[0]?.port);
  expect(readdirSync(directory)).toEqual([]);
  const before = openDescriptors(process.pid);
  await play();
  await until(() => openDescriptors(process.pid) <= before, 'every descriptor of the second rehearsal is closed');
});

test('a rehearsal that fails says so, and is no reason not to start', async () => {
  const failing = { directory, serve: () => undefined, visit: () => Promise.reject(new Error('no answer')) };
  expect(await rehearse(failing)).toBe(false);
  expect(await rehearse({ ...failing, directory: '/dev/null/full' })).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});

describe('a rehearsal whose process is killed', () => {
  const FIXTURE = fileURLToPath(new URL('../fixtures/rehearsal.mjs', import.meta.url));
  let pod: Pod;
  beforeEach(async () => {
    pod = await Pod.create();
  });
  afterEach(() => pod.close());

  const rehearses = async () => {
    const fixture = pod.program(process.execPath, [FIXTURE, pod.directory]);
    await fixture.heard('rehearses');
    return fixture;
  };
  const rehearsals = () => readdirSync(pod.directory).filter((file) => file.startsWith('r.'));
  const kill = async ({ child, exited }: Awaited<ReturnType<typeof rehearses>>) => {
    child.kill('SIGKILL');
    await exited;
  };

  test('leaves a folder that goes when the next program starts, whether that rehearses or not', async () => {
    await kill(await rehearses());
    expect(rehearsals()).not.toEqual([]);
    const server = pod.server('v1');
    await server.heard('owner');
    expect(rehearsals()).toEqual([]);
    await kill(await rehearses());
    expect(rehearsals()).not.toEqual([]);
    expect(
      await rehearse({ directory: pod.directory, serve: (end) => void end.serve('rehearsal', createServer()) }),
    ).toBe(true);
    expect(rehearsals()).toEqual([]);
  });

  test('is swept while another one goes on, whose folder stays', async () => {
    const other = await rehearses();
    const theirs = rehearsals();
    await kill(await rehearses());
    expect(rehearsals()).toHaveLength(2 * theirs.length);
    await pod.server('v1').heard('owner');
    expect(rehearsals()).toEqual(theirs);
    await kill(other);
  });
});
