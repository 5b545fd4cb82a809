/** The arguments of a benchmark make no sense; the exit status is 2. */
export class WrongArguments extends Error {}

/** The whole numbers that `--name 1,10,100` gives, or the default. Throws `WrongArguments`. */
export function numbersFlag(args: readonly string[], name: string, byDefault: readonly number[]): readonly number[] {
  const at = args.indexOf(name);
  if (at < 0) return byDefault;
  const numbers = (args[at + 1] ?? '').split(',').map((text) => (/^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN));
  if (numbers.some(Number.isNaN))
    throw new WrongArguments(`${name} wants whole numbers above 0, such as ${byDefault.join(',')}`);
  return numbers;
}

/** Throws `WrongArguments` for a flag that is none of these; each of them takes a value. */
export function allowFlags(args: readonly string[], names: readonly string[]): void {
  const unknown = args.find((argument, index) => !(index % 2 === 0 ? names.includes(argument) : true));
  if (unknown !== undefined)
    throw new WrongArguments(`unknown argument ${unknown}; there are: --quick, --json, ${names.join(', ')}`);
}
