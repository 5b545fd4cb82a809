import { Command, CommanderError } from 'commander';
import { addDiff } from './commands/diff.js';
import { addGet } from './commands/get.js';
import { addInject } from './commands/inject.js';
import { addStatus } from './commands/status.js';
import { addVerbs } from './commands/steer.js';
import { addVersion } from './commands/version.js';
import { addWhy } from './commands/why.js';
import { describeError, EXIT, exitCodeOf } from './errors.js';
import type { Surroundings } from './surroundings.js';

const EPILOG = `
Exit status of every command: 0 done; 1 the answer is no; 2 wrong arguments or input; 3 not in time; 4 the cluster refused or
could not be reached. kubectl sidestep COMMAND --help says more.

Environment: KUBECONFIG; NO_COLOR; SIDESTEP_NAMESPACE, where Sidestep runs (kruise-system).`;

/** The whole command line. */
function programOf(around: Surroundings): Command {
  const program = new Command('kubectl sidestep');
  program
    .description('See, explain and steer the rollouts of SidecarSets.')
    .addHelpText('after', EPILOG)
    .helpCommand(false)
    .showSuggestionAfterError();
  addInject(program, around);
  addDiff(program, around);
  addGet(program, around);
  addStatus(program, around);
  addWhy(program, around);
  addVerbs(program, around);
  addVersion(program, around);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => around.stdout.write(text),
      writeErr: (text) => around.stderr.write(text),
      getOutHelpWidth: () => around.stdout.columns,
    });
  }
  return program;
}

/** Runs one command line; resolves to the exit code and never rejects. */
export async function runProgram(argv: readonly string[], around: Surroundings): Promise<number> {
  const program = programOf(around);
  try {
    await program.parseAsync(argv as string[], { from: 'user' });
    return around.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    around.stderr.write(describeError(error));
    return exitCodeOf(error);
  }
}
