#!/usr/bin/env node
// Sees to a native addon and a launcher for this machine: prebuilt ones where they fit the sources, else compiled into build/.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, fits, PRODUCTS, ROOM } from './native-products.mjs';

/** The folder name that src/native/prebuilt.ts looks for. glibc says so in Node's own report; everything else on Linux is musl. */
function targetName() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return `${process.platform}-${process.arch}-${glibc ? 'gnu' : 'musl'}`;
}

function findCompiler(target) {
  const wanted = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
  const found = wanted.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (found) return found;
  throw new Error(
    `nothing prebuilt for ${target} fits these sources, and there is no C compiler; install one: apt-get install gcc libc6-dev · apk add gcc musl-dev · dnf install gcc`,
  );
}

function main() {
  if (process.platform !== 'linux') {
    console.log(
      '@sidestep/migration-agent: sockets can be handed over on Linux only; skipping the native addon on this system.',
    );
    return;
  }
  const target = targetName();
  const own = join(ROOM, 'build', target);
  for (const product of PRODUCTS) {
    if (fits(join(ROOM, 'prebuilds', target), product)) {
      // What was compiled here goes before what is prebuilt.
      for (const file of [product.file, `${product.file}.sha256`]) rmSync(join(own, file), { force: true });
      continue;
    }
    if (fits(own, product)) continue;
    const compiler = findCompiler(target);
    const size = build([compiler], product, own);
    console.log(`@sidestep/migration-agent: built ${product.file} for ${target} (${size} bytes) with ${compiler}`);
  }
}

try {
  main();
} catch (error) {
  console.error(`@sidestep/migration-agent: ${error.message}`);
  process.exitCode = 1;
}
