#!/usr/bin/env node
// Builds the native addon and the launcher into prebuilds/<platform>-<arch>-<libc>/, unless ones are there that fit the sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('..', import.meta.url));
const COMMON = ['-Os', '-s', '-std=gnu11', '-Wall', '-Wextra', '-Werror'];
const MAX_BYTES = 64 * 1024;

/** What is built, from which folder of sources. */
const PRODUCTS = [
  { file: 'sidestep.node', sources: 'native', flags: ['-shared', '-fPIC', '-fvisibility=hidden'] },
  { file: 'sidestep-exec', sources: 'native/launcher', flags: [] },
];

/** The folder name that src/native/prebuilt.ts looks for. glibc says so in Node's own report; everything else on Linux is musl. */
function targetName() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return `${process.platform}-${process.arch}-${glibc ? 'gnu' : 'musl'}`;
}

function filesOf({ sources }) {
  const folder = join(room, sources);
  return readdirSync(folder)
    .filter((file) => /\.[ch]$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

function hashOf(product) {
  const hash = createHash('sha256').update([...COMMON, ...product.flags].join(' '));
  for (const file of filesOf(product)) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function findCompiler() {
  const wanted = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
  const found = wanted.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (!found) {
    fail('no C compiler found; install one: apt-get install gcc libc6-dev · apk add gcc musl-dev · dnf install gcc');
  }
  return found;
}

function compile(compiler, product, out) {
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const unfinished = `${out}.${process.pid}`;
  const inputs = filesOf(product).filter((file) => file.endsWith('.c'));
  const args = [...COMMON, ...product.flags, '-I', headers, '-o', unfinished, ...inputs];
  if (spawnSync(compiler, args, { stdio: 'inherit' }).status !== 0) {
    rmSync(unfinished, { force: true });
    fail(`${compiler} could not build ${product.file} (messages above).`);
  }
  const { size } = statSync(unfinished);
  if (size > MAX_BYTES) fail(`${product.file} is ${size} bytes, more than the ${MAX_BYTES} it may have.`);
  renameSync(unfinished, out);
  console.log(`@sidestep/migration-agent: built ${out.slice(room.length)} (${size} bytes) with ${compiler}`);
}

function fail(sentence) {
  console.error(`@sidestep/migration-agent: ${sentence}`);
  process.exit(1);
}

function main() {
  if (process.platform !== 'linux') {
    console.log(
      '@sidestep/migration-agent: sockets can be handed over on Linux only; skipping the native addon on this system.',
    );
    return;
  }
  const folder = join(room, 'prebuilds', targetName());
  mkdirSync(folder, { recursive: true });
  let compiler;
  for (const product of PRODUCTS) {
    const out = join(folder, product.file);
    const stamp = `${out}.sha256`;
    const hash = hashOf(product);
    if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) continue;
    compiler ??= findCompiler();
    rmSync(stamp, { force: true });
    compile(compiler, product, out);
    writeFileSync(stamp, hash);
  }
}

main();
