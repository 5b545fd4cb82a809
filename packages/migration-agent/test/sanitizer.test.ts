import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { leaveOut } from '@sidestep/testkit';
import { Load } from './load.js';
import { type Fixture, Pod } from './processes.js';

const ROOM = fileURLToPath(new URL('..', import.meta.url));
const REPORT = /AddressSanitizer|runtime error:/;

/** The addon built with AddressSanitizer and UndefinedBehaviorSanitizer, in a copy of the build: real hand-overs and hostile peers run on it. */
const suite = (libasan: string): void => {
  const scratch = mkdtempSync(join(tmpdir(), 'sidestep-asan-'));
  const room = join(scratch, 'packages', 'migration-agent');
  // The process itself is not built with it, so its library has to come first; what Node leaves to its end is not ours to report.
  const env = { LD_PRELOAD: libasan, ASAN_OPTIONS: 'detect_leaks=0:verify_asan_link_order=0:abort_on_error=1' };
  let pod: Pod;

  beforeAll(() => {
    for (const part of ['dist', 'fixtures', 'package.json'])
      cpSync(join(ROOM, part), join(room, part), { recursive: true });
    const vectors = 'docs/reference/takeover-protocol-vectors.json';
    cpSync(join(ROOM, '../..', vectors), join(scratch, vectors));
    const addon = join(room, 'prebuilds', nameOfPrebuild());
    mkdirSync(addon, { recursive: true });
    compile(join(addon, 'sidestep.node'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  beforeEach(async () => {
    pod = await Pod.create();
  });
  afterEach(() => pod.close());

  const fixture = (name: string, options: object): Fixture =>
    pod.program(process.execPath, [join(room, 'fixtures', name), JSON.stringify(options)], env);

  const server = (version: string): Fixture => {
    const { directory, port } = pod;
    const listeners = {
      web: `127.0.0.1:${port}`,
      dns: { host: '127.0.0.1', port: 0, udp: true },
      unix: `unix:${directory}/web`,
    };
    return fixture('server.mjs', { directory, version, listeners, state: 'kept', limits: { guardMs: 300 } });
  };

  test('every function survives arguments that no caller would give', async () => {
    const abused = fixture('native-abuse.mjs', {});
    const { code } = await abused.exited;
    expect(abused.stderr).not.toMatch(REPORT);
    expect(code).toBe(0);
    expect((await abused.heard('survived')).calls).toBeGreaterThan(10_000);
  });

  test('hand-overs under load, with sockets, connections and state, touch no memory that is not theirs', async () => {
    const chain = [server('v1')];
    await chain[0]!.heard('owner');
    const load = new Load({ port: pod.port, short: 2, keepAlive: 2, pauseMs: 3, timeoutMs: 30_000 });
    for (const version of ['v2', 'v3']) {
      await load.answered(20);
      chain.push(server(version));
      await chain.at(-1)!.heard('owner');
      expect((await chain.at(-2)!.exited).code).toBe(0);
    }
    await load.answered(20);
    const { refused, otherErrors } = await load.stop();
    expect({
      refused,
      otherErrors,
      said: chain.map(({ stderr }) => stderr).filter((text) => REPORT.test(text)),
    }).toEqual({
      refused: 0,
      otherErrors: [],
      said: [],
    });
  });

  test('fuzzed frames, descriptors among them, do neither', async () => {
    const old = server('v1');
    await old.heard('owner');
    const peer = fixture('fuzz-peer.mjs', { directory: pod.directory, frames: 5_000, seed: 7 });
    expect((await peer.exited).code).toBe(0);
    expect((await peer.heard(({ sent }) => sent !== undefined)).sent).toBe(5_000);
    expect((await server('v2').heard('owner')).status.handover.how).toBe('takeover');
    expect(old.stderr + peer.stderr).not.toMatch(REPORT);
  });
};

function compile(out: string): void {
  const native = join(ROOM, 'native');
  const sources = readdirSync(native)
    .filter((file) => file.endsWith('.c'))
    .map((file) => join(native, file));
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir as string;
  const sanitized = [
    '-O1',
    '-g',
    '-fno-omit-frame-pointer',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
  ];
  const shared = ['-std=gnu11', '-shared', '-fPIC', '-fvisibility=hidden', '-I', headers, '-o', out];
  execFileSync('gcc', [...sanitized, ...shared, ...sources], { stdio: 'inherit' });
  expect(readFileSync(out).includes('__asan_report_load')).toBe(true);
}

function nameOfPrebuild(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `linux-${process.arch}-${report.header?.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

/** The sanitizer's library as the compiler knows it, or the reason why there is none. */
function findLibrary(): string | Error {
  const asked = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const path = asked.stdout?.trim() ?? '';
  return path.startsWith('/') && existsSync(path)
    ? path
    : new Error('there is no gcc with libasan (Debian: gcc, libc6-dev)');
}

const library = findLibrary();
describe('the addon under AddressSanitizer and UndefinedBehaviorSanitizer', () => {
  if (typeof library === 'string') suite(library);
  else {
    test('is left out of this run, with the reason', () => {
      leaveOut('the sanitizer build of the addon', library.message);
      expect(library.message).not.toBe('');
    });
  }
});
