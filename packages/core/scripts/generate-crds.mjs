#!/usr/bin/env node
// Writes the CRD into deploy/crds from the built package; --check fails when the file no longer says what the code says.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sidecarSetCrd } from '../dist/index.js';
import { CRD_FILE, crdText } from './crd-text.mjs';

const file = fileURLToPath(new URL(`../../../${CRD_FILE}`, import.meta.url));
const text = crdText(sidecarSetCrd());

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
  process.stderr.write(`wrote ${CRD_FILE}\n`);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  process.stderr.write(`${CRD_FILE} is out of date: run \`node packages/core/scripts/generate-crds.mjs\`\n`);
  process.exitCode = 1;
}
