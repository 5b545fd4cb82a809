import { SidestepError } from './errors.js';

type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/**
 * A Kubernetes resource quantity: exactly `unscaled * 10^scale`.
 *
 * `text` is set when Kubernetes 1.32 would keep the written spelling instead of printing the canonical form, which is why
 * `"+2"` survives a round trip while `"1000000m"` becomes `"1k"`.
 */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  readonly text?: string;
}

/** Thrown by {@link parseQuantity}; its message is the one that the Kubernetes API server gives. */
export class QuantityError extends SidestepError {
  constructor(message: string) {
    super('QUANTITY_INVALID', message, {
      hint: 'Write a number with an optional suffix, such as 100m, 1.5, 2Gi or 1e3.',
    });
  }
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const DECIMAL_EXPONENT: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY_EXPONENT: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL_EXPONENT).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIX = new Map(Object.entries(BINARY_EXPONENT).map(([suffix, exponent]) => [exponent, suffix]));

const NANO = -9;
const MILLI = -3;
const MAX_INT64 = 2n ** 63n - 1n;
/** Digits that always fit an int64: Kubernetes takes its exact integer path below it, and only there keeps spellings. */
const INT64_DIGITS = 18;
/** Keeps a hostile exponent from making a number with millions of digits; far beyond any amount that exists. */
const MAX_EXPONENT = 300;
const MAX_LENGTH = 256;

interface Parts {
  negative: boolean;
  /** Digits before the point without leading zeros, `"0"` when there are none. */
  whole: string;
  fraction: string;
  suffix: string;
}

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;

function split(text: string): Parts {
  const match = SHAPE.exec(text);
  if (text.length === 0 || text.length > MAX_LENGTH || match === null) throw new QuantityError(FORMAT_WRONG);
  const whole = (match[2] ?? '').replace(/^0+/, '');
  return { negative: match[1] === '-', whole: whole || '0', fraction: match[3] ?? '', suffix: match[4] ?? '' };
}

function readSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = DECIMAL_EXPONENT[suffix];
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  const binary = BINARY_EXPONENT[suffix];
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  if (!/^[eE][-+]?\d+$/.test(suffix)) throw new QuantityError(SUFFIX_WRONG);
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > MAX_EXPONENT) throw new QuantityError(SUFFIX_WRONG);
  return { base: 10, exponent, format: 'DecimalExponent' };
}

/**
 * Reads a quantity the way Kubernetes does (`resource.Quantity`), rounding up to nano units.
 * A number is read as its decimal text. Throws {@link QuantityError}.
 */
export function parseQuantity(value: string | number | bigint): Quantity {
  const text = typeof value === 'string' ? value.trim() : String(value);
  if (text === '0') return { unscaled: 0n, scale: 0, format: 'DecimalSI', text };
  const parts = split(text);
  const { base, exponent, format } = readSuffix(parts.suffix);
  const sign = parts.negative ? -1n : 1n;
  const digits = BigInt(parts.whole + parts.fraction);
  const binary = base === 2 ? 2n ** BigInt(exponent) : 1n;
  const scale = (base === 10 ? exponent : 0) - parts.fraction.length;
  const unscaled = digits * binary;
  if (isFastPath(parts, base, exponent) && scale >= NANO && unscaled <= MAX_INT64) {
    const quantity = { unscaled: sign * unscaled, scale, format };
    return keepsSpelling(parts, base, exponent, scale, digits) ? { ...quantity, text } : quantity;
  }
  return { ...capped(roundUp({ unscaled, scale, format }, NANO), sign) };
}

function isFastPath(parts: Parts, base: 2 | 10, exponent: number): boolean {
  if (base === 10) return INT64_DIGITS - parts.whole.length - parts.fraction.length >= 0;
  return parts.fraction === '' && 15 - parts.whole.length - Math.trunc((exponent * 3) / 10) - 1 >= 0;
}

function keepsSpelling(parts: Parts, base: 2 | 10, exponent: number, scale: number, digits: bigint): boolean {
  if (base === 2) return exponent % 10 === 0 && (digits & 7n) !== 0n;
  const shifted = parts.whole + parts.fraction;
  return scale % 3 === 0 && !shifted.endsWith('000') && shifted[0] !== '0';
}

function capped(quantity: Quantity, sign: bigint): Quantity {
  let { unscaled, scale, format } = quantity;
  if (format === 'BinarySI') {
    if (compareScaled(unscaled, scale, MAX_INT64, 0) > 0) [unscaled, scale] = [MAX_INT64, 0];
    if (unscaled > 0n && compareScaled(unscaled, scale, 1n, 0) < 0) format = 'DecimalSI';
  }
  return { unscaled: sign * unscaled, scale, format };
}

/** Away from zero to `scale`, as Kubernetes rounds: who asks for some of a resource gets some. */
function roundUp(quantity: Quantity, scale: number): Quantity {
  if (quantity.scale >= scale) return quantity;
  const divisor = 10n ** BigInt(scale - quantity.scale);
  const negative = quantity.unscaled < 0n;
  const magnitude = negative ? -quantity.unscaled : quantity.unscaled;
  const rounded = (magnitude + divisor - 1n) / divisor;
  return { unscaled: negative ? -rounded : rounded, scale, format: quantity.format };
}

/** The text that Kubernetes prints: the kept spelling, or the canonical form. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.unscaled === 0n) return '0';
  if (quantity.format === 'BinarySI' && isBinaryPrintable(quantity)) return formatBinary(quantity);
  return formatDecimal(quantity);
}

function isBinaryPrintable({ unscaled, scale }: Quantity): boolean {
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  if (compareScaled(magnitude, scale, 1024n, 0) < 0) return false;
  return scale >= 0 || magnitude % 10n ** BigInt(-scale) === 0n;
}

function formatBinary({ unscaled, scale }: Quantity): string {
  let amount = scale >= 0 ? unscaled * 10n ** BigInt(scale) : unscaled / 10n ** BigInt(-scale);
  let exponent = 0;
  while (amount % 1024n === 0n) {
    amount /= 1024n;
    exponent += 10;
  }
  return `${amount}${BINARY_SUFFIX.get(exponent) ?? ''}`;
}

function formatDecimal({ unscaled, scale, format }: Quantity): string {
  let amount = unscaled;
  let exponent = scale;
  while (amount % 10n === 0n) {
    amount /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0) {
    amount *= 10n;
    exponent -= 1;
  }
  // A kept BinarySI amount that does not divide evenly is shown in decimal units, without losing precision.
  if (format !== 'DecimalExponent') return `${amount}${DECIMAL_SUFFIX.get(exponent) ?? ''}`;
  return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
}

function compareScaled(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const scale = Math.min(aScale, bScale);
  const left = a * 10n ** BigInt(aScale - scale);
  const right = b * 10n ** BigInt(bScale - scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return compareScaled(a.unscaled, a.scale, b.unscaled, b.scale);
}

/** The sum; printed in the format of the first one, or of the second if the first is zero, as Kubernetes does. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const scale = Math.min(a.scale, b.scale);
  const unscaled = a.unscaled * 10n ** BigInt(a.scale - scale) + b.unscaled * 10n ** BigInt(b.scale - scale);
  return { unscaled, scale, format: a.unscaled === 0n ? b.format : a.format };
}

/** The amount in thousandths, rounded away from zero. */
export function quantityMilliValue(quantity: Quantity): bigint {
  const rounded = roundUp(quantity, MILLI);
  return rounded.unscaled * 10n ** BigInt(rounded.scale - MILLI);
}

/** The amount in whole units, rounded away from zero. */
export function quantityValue(quantity: Quantity): bigint {
  const rounded = roundUp(quantity, 0);
  return rounded.unscaled * 10n ** BigInt(rounded.scale);
}

/** A quantity as a container's resource list stores it: nothing finer than a thousandth. Throws {@link QuantityError}. */
export function resourceQuantityText(value: string | number | bigint): string {
  const quantity = parseQuantity(value);
  return formatQuantity(quantity.scale >= MILLI ? quantity : roundUp(quantity, MILLI));
}
