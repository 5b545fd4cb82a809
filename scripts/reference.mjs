#!/usr/bin/env node
// Writes docs/reference and deploy/crds from the code; --check fails when a page no longer says what the code says.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crds, pages } from './reference/pages.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');

const current = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

let stale = 0;
for (const [name, text] of Object.entries(pages())) {
  const file = path.join(root, name);
  if (current(file) === text) continue;
  stale += 1;
  if (check) {
    process.stderr.write(`${name} is out of date: run \`node scripts/reference.mjs\`\n`);
  } else {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stderr.write(`wrote ${name}\n`);
  }
}
try {
  await crds(root, check);
} catch (error) {
  stale += 1;
  process.stderr.write(error.stderr ?? String(error));
}
process.exitCode = check && stale > 0 ? 1 : 0;
