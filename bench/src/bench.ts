/** One line of a benchmark's table. `ok` is false when a count (never a timing) is wrong. */
export interface Row {
  name: string;
  ok: boolean;
  [figure: string]: number | string | boolean;
}

export interface BenchContext {
  /** Under a minute in all. */
  quick: boolean;
  /** The checkout. */
  root: string;
  /** The benchmark's own flags, as given. */
  args: string[];
  /** Progress; goes to stderr. */
  say(line: string): void;
}

/** A benchmark lives in `bench/src/<name>.ts`, which exports it as `bench`. */
export interface Bench {
  name: string;
  /** One sentence for `--help`; names its own flags. */
  description: string;
  run(context: BenchContext): Promise<Row[]>;
}
