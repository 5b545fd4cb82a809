// What is built from native/, and how: the same for this machine's compiler and for the prebuilds of all machines.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOM = fileURLToPath(new URL('..', import.meta.url));
const COMMON = ['-Os', '-s', '-std=gnu11', '-Wall', '-Wextra', '-Werror'];
const MAX_BYTES = 64 * 1024;

/** What is built, from which folder of sources. */
export const PRODUCTS = [
  { file: 'sidestep.node', sources: 'native', flags: ['-shared', '-fPIC', '-fvisibility=hidden'] },
  { file: 'sidestep-exec', sources: 'native/launcher', flags: [] },
];

function filesOf({ sources }) {
  const folder = join(ROOM, sources);
  return readdirSync(folder)
    .filter((file) => /\.[ch]$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

/** Changes with the sources of a product and the flags that it is built with. */
function hashOf(product) {
  const hash = createHash('sha256').update([...COMMON, ...product.flags].join(' '));
  for (const file of filesOf(product)) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** Whether the folder has this product, built from the sources as they are. */
export function fits(folder, product) {
  const stamp = join(folder, `${product.file}.sha256`);
  return (
    existsSync(join(folder, product.file)) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8').trim() === hashOf(product)
  );
}

/** Compiles a product into a folder, with the stamp that `fits` looks for; returns its size. @throws Error in one line. */
export function build([compiler, ...given], product, folder) {
  mkdirSync(folder, { recursive: true });
  const out = join(folder, product.file);
  rmSync(`${out}.sha256`, { force: true });
  const headers = createRequire(import.meta.url)('node-api-headers').include_dir;
  const unfinished = `${out}.${process.pid}`;
  const inputs = filesOf(product).filter((file) => file.endsWith('.c'));
  const args = [...given, ...COMMON, ...product.flags, '-I', headers, '-o', unfinished, ...inputs];
  if (spawnSync(compiler, args, { stdio: 'inherit' }).status !== 0) {
    rmSync(unfinished, { force: true });
    throw new Error(`${compiler} could not build ${product.file} (messages above).`);
  }
  const { size } = statSync(unfinished);
  if (size > MAX_BYTES) throw new Error(`${product.file} is ${size} bytes, more than the ${MAX_BYTES} it may have.`);
  renameSync(unfinished, out);
  writeFileSync(`${out}.sha256`, `${hashOf(product)}\n`);
  return size;
}
