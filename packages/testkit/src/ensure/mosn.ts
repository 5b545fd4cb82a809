import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.js';
import { buildGoProgram } from './go-program.js';
import { isExecutable } from './run-command.js';

/** The newest MOSN that can be had as a Go module. */
const MOSN = {
  name: 'mosn',
  version: 'v1.3.0',
  module: fileURLToPath(new URL('../../mosn-build', import.meta.url)),
  main: '.',
  // A module of that time reaches into Go's own packages, which Go has forbidden since.
  linkerFlags: '-s -w -checklinkname=0',
  go: '1.24',
  takes: 'about two minutes',
};

/** Thrown when MOSN cannot be had; the message says why. */
export class NoMosn extends Error {
  constructor(why: string) {
    super(`no MOSN ${MOSN.version}: ${why}`);
    this.name = 'NoMosn';
  }
}

/** Path of MOSN 1.3.0 with its HTTP/1.1 proxy; with `download` it is built where it is missing. Rejects with NoMosn. */
export async function findMosn({ download }: { download: boolean }): Promise<string> {
  const target = path.join(cacheFolder(), `mosn-${MOSN.version}-${process.platform}-${process.arch}`, 'mosn');
  if (await isExecutable(target)) return target;
  if (!download) throw new NoMosn('run `npm test -- --all` once to build it');
  return buildGoProgram(MOSN, target).catch((error: Error) => {
    throw new NoMosn(error.message);
  });
}
