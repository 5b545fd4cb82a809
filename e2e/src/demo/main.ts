import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseOptions } from './options.js';
import { runDemo } from './run.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

// An interrupted run may still have a wait of its own under way; nothing is left to do then.
process.exit(await runDemo(root, parseOptions(process.argv.slice(2))));
