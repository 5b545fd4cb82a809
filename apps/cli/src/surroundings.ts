import type { Config } from './config.js';

/** Where text goes; a terminal says how large it is. */
export interface Output {
  write(text: string): void;
  isTTY: boolean;
  columns: number;
  rows: number;
}

/** Everything outside the program that a command may touch, besides the API server. */
export interface Surroundings {
  config: Config;
  stdout: Output;
  stderr: Output;
  /** Text of a file; `-` is the standard input. */
  readText(file: string): Promise<string>;
  now(): Date;
  /** Aborted by Ctrl-C. */
  stop: AbortSignal;
  /** What the process ends with; a command sets it where the answer is not simply yes. */
  exitCode: number;
}
