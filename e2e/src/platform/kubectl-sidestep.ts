import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Platform } from './platform.js';

/** What a command of `kubectl sidestep` came to. */
export interface CommandResult {
  code: number;
  output: string;
}

/** Runs the built command line as the platform's administrator would. */
export const kubectlSidestep = ({ options, kubeconfig }: Platform, ...argv: string[]): Promise<CommandResult> => {
  const program = path.join(options.root, 'apps/cli/bin/kubectl-sidestep.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...argv, '--kubeconfig', kubeconfig], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
};
