import { InvalidArgumentError } from 'commander';

/** An option that may be repeated. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `a=b,c=d` */
export function keyValues(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new InvalidArgumentError(`"${pair}" is not key=value; allowed is key=value,key=value.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `90s`, `5m` or `1h`, in milliseconds. */
export function duration(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError('allowed is a whole number and s, m or h, such as 90s or 5m.');
  }
  return Number(count) * (UNITS[unit] ?? 0);
}

/** A whole number within bounds. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is allowed.`);
  };
