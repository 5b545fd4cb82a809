import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityMilliValue,
} from '../api/quantity.js';
import {
  type ExpressionStep,
  parseResourceExpression,
  type ResourceExpression,
  ResourceExpressionError,
} from './resource-expression.js';

/** A plain number, or an amount with a unit. */
export type ExpressionValue = number | Quantity;

/** What the names in an expression stand for; keys in lower case. */
export type ExpressionVariables = Readonly<Record<string, ExpressionValue>>;

/**
 * Computes an expression. Amounts are multiplied and divided in thousandths and floating point, as OpenKruise 1.9 does, and
 * keep their unit style; a result below zero, or beyond what a quantity holds, is refused.
 *
 * @throws {ResourceExpressionError} with OpenKruise's message for the last thing that could not be computed, else for the
 *   syntax error.
 */
export function evaluateResourceExpression(
  expression: ResourceExpression | string,
  variables: ExpressionVariables,
): ExpressionValue {
  const { steps, syntaxError } = typeof expression === 'string' ? parseResourceExpression(expression) : expression;
  const machine = new ExpressionMachine(variables);
  for (const step of steps) machine.run(step);
  const result = machine.result();
  if (machine.failure !== undefined) throw new ResourceExpressionError(machine.failure);
  if (syntaxError !== undefined) throw new ResourceExpressionError(syntaxError);
  if (result === undefined) throw new ResourceExpressionError('no result from parser');
  const negative = typeof result === 'number' ? result < 0 : result.unscaled < 0n;
  if (negative) {
    const text = typeof result === 'number' ? goFloatText(result) : formatQuantity(result);
    throw new ResourceExpressionError(`calculation result is negative: ${text}`);
  }
  if (typeof result !== 'number' && compareQuantities(result, LARGEST) > 0) throw outOfRange(formatQuantity(result));
  return result;
}

/** A computed value as the amount of a resource: a plain number of `cpu` is cut off to thousandths, of `memory` to bytes. */
export function resourceAmount(value: ExpressionValue, variable: 'cpu' | 'memory'): Quantity {
  if (typeof value !== 'number' || variable === 'cpu') return toQuantity(value);
  return { unscaled: toInt64(value, value), scale: 0, format: 'DecimalSI' };
}

/** A step that fails leaves `undefined` on the stack, and what uses that is undefined too: the last failure is the one told. */
class ExpressionMachine {
  failure: string | undefined;
  private readonly stack: (ExpressionValue | undefined)[] = [];

  constructor(private readonly variables: ExpressionVariables) {}

  result(): ExpressionValue | undefined {
    return this.stack.at(-1);
  }

  run(step: ExpressionStep): void {
    try {
      this.stack.push(this.compute(step));
    } catch (error) {
      if (!(error instanceof ResourceExpressionError || error instanceof QuantityError)) throw error;
      this.failure = error.message;
      this.stack.push(undefined);
    }
  }

  private compute(step: ExpressionStep): ExpressionValue | undefined {
    switch (step.do) {
      case 'number':
        return step.value;
      case 'quantity':
        return parseQuantity(step.text);
      case 'variable':
        return this.variable(step.name);
      case 'negate':
        return this.unary(negate);
      case 'add':
        return this.binary(add);
      case 'subtract':
        return this.binary((a, b) => add(a, negate(b)));
      case 'multiply':
        return this.binary(multiply);
      case 'divide':
        return this.binary(divide);
      case 'call':
        return this.call(step.name, step.operands);
    }
  }

  private variable(name: string): ExpressionValue {
    const value = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
    if (value === undefined) throw new ResourceExpressionError(`undefined variable: ${name}`);
    return value;
  }

  private unary(operation: (a: ExpressionValue) => ExpressionValue): ExpressionValue | undefined {
    const operand = this.stack.pop();
    return operand === undefined ? undefined : operation(operand);
  }

  private binary(operation: (a: ExpressionValue, b: ExpressionValue) => ExpressionValue): ExpressionValue | undefined {
    const right = this.stack.pop();
    const left = this.stack.pop();
    return left === undefined || right === undefined ? undefined : operation(left, right);
  }

  private call(name: string, operands: 1 | 2): ExpressionValue | undefined {
    const called = name.toLowerCase();
    if (called !== 'max' && called !== 'min') throw new ResourceExpressionError(`unknown function: ${name}`);
    if (operands !== 2) {
      throw new ResourceExpressionError(`${called} function requires exactly 2 arguments, got ${operands}`);
    }
    return this.binary((a, b) => pick(called, a, b));
  }
}

function negate(value: ExpressionValue): ExpressionValue {
  if (typeof value === 'number') return -value;
  return { unscaled: -value.unscaled, scale: value.scale, format: value.format };
}

function add(a: ExpressionValue, b: ExpressionValue): ExpressionValue {
  if (typeof a === 'number' && typeof b === 'number') return finite(a + b);
  return addQuantities(toQuantity(a), toQuantity(b));
}

function multiply(a: ExpressionValue, b: ExpressionValue): ExpressionValue {
  if (typeof a === 'number') return typeof b === 'number' ? finite(a * b) : scaled(b, (milli) => milli * a);
  if (typeof b !== 'number') throw new ResourceExpressionError('multiplication of two quantities');
  return scaled(a, (milli) => milli * b);
}

function divide(a: ExpressionValue, b: ExpressionValue): ExpressionValue {
  if (typeof b !== 'number') throw new ResourceExpressionError('division by quantity');
  if (b === 0) throw new ResourceExpressionError('division by zero');
  return typeof a === 'number' ? finite(a / b) : scaled(a, (milli) => milli / b);
}

function pick(which: 'max' | 'min', a: ExpressionValue, b: ExpressionValue): ExpressionValue {
  if (typeof a === 'number' && typeof b === 'number') return which === 'max' ? Math.max(a, b) : Math.min(a, b);
  const [left, right] = [toQuantity(a), toQuantity(b)];
  const order = compareQuantities(left, right);
  return (which === 'max' ? order >= 0 : order <= 0) ? left : right;
}

/** A number as an amount, cut off to thousandths. */
function toQuantity(value: ExpressionValue): Quantity {
  if (typeof value !== 'number') return value;
  return { unscaled: toInt64(value * 1000, value), scale: -3, format: 'DecimalSI' };
}

function scaled(quantity: Quantity, operation: (milli: number) => number): Quantity {
  const milli = operation(Number(quantityMilliValue(quantity)));
  return { unscaled: toInt64(milli, milli / 1000), scale: -3, format: quantity.format };
}

const MAX_INT64 = 2n ** 63n - 1n;

/** No quantity is larger: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const LARGEST: Quantity = { unscaled: MAX_INT64, scale: 0, format: 'DecimalSI' };

/** Towards zero. In Go what does not fit is the smallest number, which OpenKruise then calls negative. */
function toInt64(value: number, shown: number): bigint {
  const whole = BigInt(Math.trunc(finite(value)));
  if (whole > MAX_INT64 || whole < -MAX_INT64) throw outOfRange(goFloatText(shown));
  return whole;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw outOfRange(goFloatText(value));
}

const outOfRange = (text: string) => new ResourceExpressionError(`calculation result is out of range: ${text}`);

/** Go's `%g`: the shortest digits that read back as the same number. */
function goFloatText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
