/** Exit codes: 0 well, 1 gave up (the reason is on stderr), 2 wrong usage. */
const COMMANDS: Record<string, () => Promise<(args: string[]) => Promise<number>>> = {
  run: async () => (await import('./run.js')).runCommand,
  hook: async () => (await import('./hook.js')).hookCommand,
  status: async () => (await import('./status.js')).statusCommand,
  init: async () => (await import('./init.js')).initCommand,
  doctor: async () => (await import('./doctor.js')).doctorCommand,
  custodian: async () => (await import('./custodian.js')).custodianCommand,
};

/** What runs in a container on its own account; the others are asked by a person, who reads the answer. */
const LEAVES_MESSAGE = new Set(['run', 'hook', 'custodian']);

// Each command is loaded by itself: the hook must be quick, the custodian small.
async function main(argv: string[]): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help' || args[0] === '--help') {
    process.stdout.write((await import('./help.js')).HELP);
    return 0;
  }
  const command = COMMANDS[name];
  if (!command) {
    process.stderr.write(`sidestep-agent: unknown command "${name}"; see sidestep-agent --help\n`);
    return 2;
  }
  return (await command())(args);
}

async function failed(error: unknown): Promise<number> {
  const { message = String(error), hint, code } = error as { message?: string; hint?: string; code?: string };
  process.stderr.write(`sidestep-agent: ${message}${hint ? `\n  ${hint}` : ''}\n`);
  if (LEAVES_MESSAGE.has(process.argv[2] ?? '')) {
    const [{ terminationLog }, { writeTerminationMessage }] = await Promise.all([
      import('../config.js'),
      import('./termination-message.js'),
    ]);
    writeTerminationMessage(terminationLog(), message);
  }
  return error instanceof TypeError || code === 'BAD_ADDRESS' ? 2 : 1;
}

void main(process.argv.slice(2))
  .catch(failed)
  .then((code) => process.exit(code));
