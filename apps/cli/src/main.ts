/** kubectl sidestep: see, explain and steer SidecarSet rollouts. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { WriteStream } from 'node:tty';
import { readConfig } from './config.js';
import { describeError, exitCodeOf } from './errors.js';
import { runProgram } from './program.js';
import type { Output } from './surroundings.js';

const outputOf = (stream: WriteStream): Output => ({
  write: (chunk) => {
    stream.write(chunk);
  },
  isTTY: stream.isTTY === true,
  columns: stream.columns ?? 120,
  rows: stream.rows ?? 40,
});

/** A reader that leaves early, as `head` does, is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  process.exitCode = await runProgram(process.argv.slice(2), {
    config: readConfig(),
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    readText: (file) => (file === '-' ? text(process.stdin) : readFile(file, 'utf8')),
    now: () => new Date(),
    stop: stop.signal,
    exitCode: 0,
  });
} catch (error) {
  process.stderr.write(describeError(error));
  process.exitCode = exitCodeOf(error);
}
