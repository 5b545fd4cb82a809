#!/usr/bin/env node
// Makes dist/bundle/sidestep-agent.cjs: the program in one CommonJS file. Node's ES module loader and its hundred small files would cost a
// custodian a quarter of its memory and half of its start.
import { readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const room = fileURLToPath(new URL('..', import.meta.url));
const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
// Two builds at once must not read each other's half of a file.
const out = `${room}dist/bundle/sidestep-agent.cjs`;
const unfinished = `${out}.${process.pid}`;

await build({
  entryPoints: [`${room}dist/bin/sidestep-agent.js`],
  outfile: unfinished,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${/\d+\.\d+/.exec(engines.node)[0]}`,
  minifyWhitespace: true,
  // As deep below the package as the file it stands for: paths relative to it stay right.
  define: { 'import.meta.url': 'ownUrl' },
  banner: { js: "const ownUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});
renameSync(unfinished, out);
