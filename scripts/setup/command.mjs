import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetupError } from './progress.mjs';

const notStarted = (file, error) =>
  error.code === 'ENOENT'
    ? new SetupError(`There is no \`${file}\` on PATH; it is needed here.`)
    : new SetupError(`\`${file}\` could not be started: ${error.message}`);

/** Runs a program with its output on stderr and resolves with its exit code (128 + n for signal n, as a shell has it). */
export const exitCodeOf = (file, args, options = {}, onStart = () => {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 2, 2], ...options });
    onStart(child);
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.once('error', (error) => reject(notStarted(file, error)));
    child.once('close', (code, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });

/** As `exitCodeOf`, but says nothing of what the program says; resolves with `{code, output}`. */
export const quietly = async (file, args, options = {}) => {
  const kept = [];
  const onStart = (child) => {
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => kept.push(chunk));
  };
  const code = await exitCodeOf(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }, onStart);
  return { code, output: Buffer.concat(kept).toString() };
};

/** As `exitCodeOf`, but a non-zero end is a `SetupError` with the hint. */
export const must = async (file, args, hint, options) => {
  const code = await exitCodeOf(file, args, options);
  if (code !== 0) throw new SetupError(`\`${[file.split('/').pop(), ...args].join(' ')}\` ended with ${code}. ${hint}`);
};
