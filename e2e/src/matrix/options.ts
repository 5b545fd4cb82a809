import { Command, InvalidArgumentError, Option } from 'commander';

export interface MatrixOptions {
  quick: boolean;
  json: boolean;
  markdown?: string;
  filter?: RegExp;
  repeat: number;
  api: 'kube-sim' | 'real';
  list: boolean;
}

const regularExpression = (text: string): RegExp => {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

const atLeastOne = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
};

/** Parses the command line; ends the process with 2 and one clear line when it is wrong. */
export const parseOptions = (argv: readonly string[]): MatrixOptions => {
  const command = new Command('pnpm matrix')
    .description('Lets everything fail in every phase of a hot upgrade under load, and counts what was lost.')
    .option('--quick', 'a representative subset, in about two minutes', false)
    .option('--filter <regex>', 'only rows whose name matches, whatever its case', regularExpression)
    .option('--repeat <n>', 'every row so many times', atLeastOne, 1)
    .option('--list', 'print the names of the rows and do nothing', false)
    .option('--json', 'print one JSON object on stdout and nothing else', false)
    .option('--markdown <file>', 'write the matrix as a page')
    .addOption(new Option('--api <server>', 'the API server').choices(['kube-sim', 'real']).default('kube-sim'))
    .addHelpText('after', '\nExit status: 0 every row ended as it must, 1 one did not, 2 wrong arguments.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  return command.parse(argv as string[], { from: 'user' }).opts<MatrixOptions>();
};
