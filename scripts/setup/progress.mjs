// Set-up talks on stderr only: stdout belongs to the command's result (`--json` promises one object and nothing else).
export const say = (line) => process.stderr.write(`${line}\n`);

/** A failure that the user can mend; `message` is the whole text to print. */
export class SetupError extends Error {}
