#!/usr/bin/env node
// Writes prebuilds/: addon and launcher for every machine that the agent runs on, cross-compiled with a pinned Zig. Run it after a
// change of native/ and commit what it writes. `prebuild-native.mjs FOLDER` writes somewhere else, to be compared.
import { join, resolve } from 'node:path';
import { findZig } from '@sidestep/testkit';
import { build, PRODUCTS, ROOM } from './native-products.mjs';

/** glibc as old as Node 20 itself asks for. Without -dynamic Zig would link all of musl into the launcher. */
const TARGETS = {
  'linux-x64-gnu': ['-target', 'x86_64-linux-gnu.2.28'],
  'linux-arm64-gnu': ['-target', 'aarch64-linux-gnu.2.28'],
  'linux-x64-musl': ['-target', 'x86_64-linux-musl', '-dynamic'],
  'linux-arm64-musl': ['-target', 'aarch64-linux-musl', '-dynamic'],
};

const into = resolve(process.argv[2] ?? join(ROOM, 'prebuilds'));
const zig = await findZig({ download: true });
for (const [name, target] of Object.entries(TARGETS)) {
  for (const product of PRODUCTS) {
    const size = build([zig, 'cc', ...target], product, join(into, name));
    console.log(`${name}/${product.file}: ${size} bytes`);
  }
}
