import type { IntOrString } from './kubernetes.js';

const PERCENT = /^[0-9]+%$/;

/** True for `"30%"`, in the form Kubernetes accepts. */
export function isPercent(value: IntOrString): value is string {
  return typeof value === 'string' && PERCENT.test(value);
}

/**
 * How many of `total` a number or percentage means.
 *
 * A percentage is rounded up or down as the caller says. Text that is no percentage means `undefined`: such a value can only
 * come from an object that was stored before it was validated.
 */
export function resolveIntOrPercent(
  value: IntOrString | undefined,
  total: number,
  rounding: 'up' | 'down',
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return value;
  if (!isPercent(value)) return undefined;
  const share = (Number(value.slice(0, -1)) * total) / 100;
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share);
}
