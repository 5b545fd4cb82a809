#!/usr/bin/env node
// Builds the native addon into prebuilds/<platform>-<arch>-<libc>/sidestep.node, unless one is there that fits the sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('..', import.meta.url));
const sources = join(room, 'native');
const FLAGS = ['-shared', '-fPIC', '-Os', '-s', '-std=gnu11', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'];
const MAX_BYTES = 64 * 1024;

/** The folder name that src/native/addon.ts looks for. glibc says so in Node's own report; everything else on Linux is musl. */
function targetName() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return `${process.platform}-${process.arch}-${glibc ? 'gnu' : 'musl'}`;
}

function sourceHash(files) {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const file of files) hash.update(file).update(readFileSync(join(sources, file)));
  return hash.digest('hex');
}

function findCompiler() {
  const wanted = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
  return wanted.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
}

function compile(compiler, files, out) {
  const require = createRequire(import.meta.url);
  const headers = require('node-api-headers').include_dir;
  const unfinished = `${out}.${process.pid}`;
  const inputs = files.filter((file) => file.endsWith('.c')).map((file) => join(sources, file));
  const done = spawnSync(compiler, [...FLAGS, '-I', headers, '-o', unfinished, ...inputs], { stdio: 'inherit' });
  if (done.status !== 0) fail(`${compiler} could not build the native addon (messages above).`);
  const size = readFileSync(unfinished).length;
  if (size > MAX_BYTES) fail(`the native addon is ${size} bytes, more than the ${MAX_BYTES} it may have.`);
  renameSync(unfinished, out);
  return size;
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
  const files = readdirSync(sources)
    .filter((file) => /\.[ch]$/.test(file))
    .sort();
  const out = join(room, 'prebuilds', targetName(), 'sidestep.node');
  const stamp = `${out}.sha256`;
  const hash = sourceHash(files);
  if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const compiler = findCompiler();
  if (!compiler)
    fail('no C compiler found; install one: apt-get install gcc libc6-dev · apk add gcc musl-dev · dnf install gcc');
  mkdirSync(dirname(out), { recursive: true });
  rmSync(stamp, { force: true });
  const size = compile(compiler, files, out);
  writeFileSync(stamp, hash);
  console.log(`@sidestep/migration-agent: built ${out.slice(room.length)} (${size} bytes) with ${compiler}`);
}

main();
