import { spawn } from 'node:child_process';
import { SetupError } from './progress.mjs';

/** Runs a program with its output on stderr and resolves with its exit code (128 + n for signal n, as a shell has it). */
export const exitCodeOf = (file, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 2, 2], ...options });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });

/** As `exitCodeOf`, but a non-zero end is a `SetupError` with the hint. */
export const must = async (file, args, hint, options) => {
  const code = await exitCodeOf(file, args, options);
  if (code !== 0) throw new SetupError(`\`${[file.split('/').pop(), ...args].join(' ')}\` ended with ${code}. ${hint}`);
};
