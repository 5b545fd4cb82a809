#!/usr/bin/env node
// The door to every command of the checkout: sets up what is missing, then runs the command. Uses nothing but Node itself.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { commands } from './commands.mjs';
import { unsupportedHost } from './setup/host.mjs';
import { SetupError, say } from './setup/progress.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const main = async ([name, ...args]) => {
  const command = commands[name];
  if (!command) {
    say(`Unknown command ${JSON.stringify(name ?? '')}; there are: ${Object.keys(commands).join(', ')}`);
    return 2;
  }
  const refusal = unsupportedHost({ platform: process.platform, version: process.versions.node });
  if (refusal) {
    say(refusal);
    return 2;
  }
  const env = await ensureWorkspace(root);
  return command({ root, env, args });
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
