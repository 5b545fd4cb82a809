import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseOptions } from './options.js';
import { runDemo } from './run.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

process.exitCode = await runDemo(root, parseOptions(process.argv.slice(2)));
