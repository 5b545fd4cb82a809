import { z } from 'zod';

/** One environment variable of a program. */
export interface Setting {
  /** Takes the variable's text. */
  schema: z.ZodType;
  /** In words, for the error and for --help. */
  allowed: string;
  default: string;
  /** Why one would set it. */
  help: string;
  /** The value may hold a password, so errors do not show it. */
  secret?: boolean;
}

export type Settings = Readonly<Record<string, Setting>>;

/** What the settings' schemas make of their texts. */
export type SettingValues<T extends Settings> = { [Name in keyof T]: z.output<T[Name]['schema']> };

/** Variables by name, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One or more variables that cannot be used; the message has a line for each: its name, what it got, what is allowed. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly hint = 'Run with --help for every variable.';
  readonly retry = 'never' as const;

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Schema of a whole number in decimal digits. */
export const wholeNumber = (least: number, most: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(least).max(most));

/** The environment without empty variables, which count as unset. */
export const givenIn = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );

/**
 * Reads settings from the environment.
 *
 * @param conflictsOf names settings whose values do not go together; they are reported like values that are not allowed
 * @throws {ConfigError} with every variable that cannot be used
 */
export function readSettings<T extends Settings>(
  settings: T,
  environment: Environment,
  conflictsOf: (values: SettingValues<T>) => readonly (keyof T & string)[] = () => [],
): SettingValues<T> {
  const given = givenIn(environment);
  const values: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    const parsed = setting.schema.safeParse(given[name] ?? setting.default);
    if (parsed.success) values[name] = parsed.data;
    else wrong.push(name);
  }
  if (wrong.length === 0) wrong.push(...conflictsOf(values as SettingValues<T>));
  if (wrong.length > 0) throw new ConfigError(wrong.map((name) => problem(name, settings[name], given[name])));
  return values as SettingValues<T>;
}

const problem = (name: string, setting: Setting | undefined, value: string | undefined): string => {
  const got = setting?.secret === true ? 'a value that is not shown' : `"${value ?? setting?.default}"`;
  return `${name}: got ${got}; allowed: ${setting?.allowed}`;
};

/** The text of --help. @param summary `program: what it does.` */
export function describeSettings(summary: string, settings: Settings): string {
  const lines = Object.entries(settings).map(
    ([name, setting]) =>
      `  ${name}\n      ${setting.help}.\n      Allowed: ${setting.allowed}. Default: ${setting.default === '' ? 'empty' : setting.default}.`,
  );
  return [
    summary,
    '',
    'It takes no arguments but --help; everything is set by environment variables:',
    '',
    ...lines,
    '',
  ].join('\n');
}
