import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Surroundings } from '../surroundings.js';

/** `kubectl sidestep version` */
export function addVersion(program: Command, around: Surroundings): void {
  program
    .command('version')
    .description('print the version of this program')
    .action(() => around.stdout.write(`${ownVersion()}\n`));
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
