import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { findArm64, findZig, leaveOut } from '@sidestep/testkit';

const ROOM = fileURLToPath(new URL('..', import.meta.url));
const PREBUILDS = join(ROOM, 'prebuilds');
const PROBE = join(ROOM, 'fixtures/native-probe.mjs');
const PATIENCE_MS = 600_000;

/** ELF's number of the machine, and what its C library is called. */
const TARGETS = [
  { target: 'linux-x64-gnu', machine: 62, library: 'libc.so.6' },
  { target: 'linux-arm64-gnu', machine: 183, library: 'libc.so.6' },
  { target: 'linux-x64-musl', machine: 62, library: 'libc.so' },
  { target: 'linux-arm64-musl', machine: 183, library: 'libc.so' },
];
const FILES = ['sidestep.node', 'sidestep-exec'];

test.each(TARGETS)('$target is for that machine and that C library, as old as Node 20 asks for', (expected) => {
  for (const file of FILES) {
    const bytes = readFileSync(join(PREBUILDS, expected.target, file));
    const text = bytes.toString('latin1');
    const versions = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    expect({ machine: bytes.readUInt16LE(18), needs: text.includes(`\0${expected.library}\0`) }).toEqual({
      machine: expected.machine,
      needs: true,
    });
    if (expected.target.endsWith('musl')) expect(versions).toEqual([]);
    else expect(Math.max(...versions)).toBeLessThanOrEqual(28);
  }
});

test('what is prebuilt was built from the sources as they are', async () => {
  const { fits, PRODUCTS } = await import(join(ROOM, 'scripts/native-products.mjs'));
  const folders = readdirSync(PREBUILDS).sort();
  expect(folders).toEqual(TARGETS.map(({ target }) => target).sort());
  const stale = folders.flatMap((folder) =>
    PRODUCTS.filter((product: object) => !fits(join(PREBUILDS, folder), product)).map(() => folder),
  );
  // Else: node scripts/prebuild-native.mjs
  expect(stale).toEqual([]);
});

const zig = await findZig({ download: false }).catch((error: Error) => error);
if (zig instanceof Error) {
  test('building them again is left out, with the reason', () => leaveOut('the prebuilds, built again', zig.message));
} else {
  test(
    'building them again gives the same bytes',
    () => {
      const again = mkdtempSync(join(tmpdir(), 'sidestep-prebuilds-'));
      try {
        execFileSync(process.execPath, [join(ROOM, 'scripts/prebuild-native.mjs'), again], { stdio: 'pipe' });
        const different = TARGETS.flatMap(({ target }) => FILES.map((file) => join(target, file))).filter(
          (file) => !readFileSync(join(again, file)).equals(readFileSync(join(PREBUILDS, file))),
        );
        expect(different).toEqual([]);
      } finally {
        rmSync(again, { recursive: true, force: true });
      }
    },
    PATIENCE_MS,
  );
}

const passes = (arch: string) => ({
  arch,
  steps: [0, 0, 0, 0, 0],
  sent: 1,
  bytes: 1,
  truncated: 0,
  accepting: 1,
  same: true,
});

test('the one for this machine loads, and passes a socket on', () => {
  const told = execFileSync(process.execPath, [PROBE], { encoding: 'utf8' });
  expect(JSON.parse(told)).toEqual(passes(process.arch));
});

const arm64 = await findArm64({ download: false }).catch((error: Error) => error);
if (arm64 instanceof Error) {
  test('arm64 is left out, with the reason', () => leaveOut('the prebuilt addon for arm64', arm64.message));
} else {
  const { emulator, node } = arm64;
  const [qemu = '', ...options] = emulator;

  test(
    'the one for arm64 loads, and passes a socket on',
    () => {
      const told = execFileSync(qemu, [...options, node, PROBE], { encoding: 'utf8' });
      expect(JSON.parse(told)).toEqual(passes('arm64'));
    },
    PATIENCE_MS,
  );

  test('the launcher for arm64 runs', () => {
    const launcher = join(PREBUILDS, 'linux-arm64-gnu/sidestep-exec');
    expect(spawnSync(qemu, [...options, launcher]).status).toBe(2);
  });
}
