/** Exit codes: 0 well, 1 gave up (the reason is on stderr), 2 wrong usage. */
const COMMANDS: Record<string, () => Promise<(args: string[]) => Promise<number>>> = {
  run: async () => (await import('./run.js')).runCommand,
  hook: async () => (await import('./hook.js')).hookCommand,
  status: async () => (await import('./status.js')).statusCommand,
  init: async () => (await import('./init.js')).initCommand,
  doctor: async () => (await import('./doctor.js')).doctorCommand,
  custodian: async () => (await import('./custodian.js')).custodianCommand,
};

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

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const { message, hint } = error as { message?: string; hint?: string };
    process.stderr.write(`sidestep-agent: ${message ?? String(error)}${hint ? `\n  ${hint}` : ''}\n`);
    process.exit(error instanceof TypeError ? 2 : 1);
  },
);
