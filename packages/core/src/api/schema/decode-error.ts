import { parseQuantity, QuantityError } from '../quantity.js';
import { isRecord } from './go-json.js';
import type { Shape, StructShape } from './shape.js';

const INT_LIMITS = { int32: 2n ** 31n, int64: 2n ** 63n } as const;

/** Where in the object a value is: the innermost struct and the names of the fields that lead here. */
interface Place {
  struct: string;
  fields: readonly string[];
}

/**
 * What Go says of a value that does not fit its type, `undefined` if it fits. As in Go, `null` fits everything, unknown fields are
 * not looked at, and the first misfit in the order of the text is the one that is told.
 */
export function decodeError(shape: StructShape, value: unknown, version: string): string | undefined {
  return new Decoding(version).misfit(shape, value, { struct: '', fields: [] });
}

class Decoding {
  /** Package of the types that are not Kubernetes' own. */
  constructor(private readonly version: string) {}

  misfit(shape: Shape, value: unknown, place: Place): string | undefined {
    if (value === null || value === undefined) return undefined;
    switch (shape.kind) {
      case 'struct':
        return isRecord(value) ? this.structMisfit(shape, value, place) : this.message(value, shape, place);
      case 'list':
        if (!Array.isArray(value)) return this.message(value, shape, place);
        return firstOf(value, (each) => this.misfit(shape.of, each, place));
      case 'map':
        if (!isRecord(value)) return this.message(value, shape, place);
        return firstOf(Object.values(value), (each) => this.misfit(shape.of, each, place));
      case 'quantity':
        return quantityMisfit(value);
      case 'string':
        return typeof value === 'string' ? undefined : this.message(value, shape, place);
      case 'boolean':
        return typeof value === 'boolean' ? undefined : this.message(value, shape, place);
      case 'intOrString':
        return typeof value === 'string' ? undefined : this.integerMisfit('int32', value, place);
      default:
        return this.integerMisfit(shape.kind, value, place);
    }
  }

  private structMisfit(shape: StructShape, value: Record<string, unknown>, place: Place): string | undefined {
    return firstOf(Object.keys(value), (name) => {
      const field = shape.byName.get(name);
      if (field === undefined) return undefined;
      return this.misfit(field.shape, value[name], { struct: shape.goName, fields: [...place.fields, name] });
    });
  }

  private integerMisfit(kind: 'int32' | 'int64', value: unknown, place: Place): string | undefined {
    if (typeof value !== 'number' && typeof value !== 'bigint') return this.message(value, { kind }, place);
    const limit = INT_LIMITS[kind];
    const isWhole = typeof value === 'bigint' || Number.isInteger(value);
    if (isWhole && value >= -limit && value < limit) return undefined;
    return this.describe(`number ${value}`, kind, place);
  }

  private message(value: unknown, shape: Shape, place: Place): string {
    return this.describe(jsonKind(value), this.typeName(shape), place);
  }

  private describe(found: string, type: string, { struct, fields }: Place): string {
    if (fields.length === 0) return `json: cannot unmarshal ${found} into Go value of type ${type}`;
    return `json: cannot unmarshal ${found} into Go struct field ${struct}.${fields.join('.')} of type ${type}`;
  }

  private typeName(shape: Shape): string {
    switch (shape.kind) {
      case 'struct':
        return `${shape.isKubernetes ? 'v1' : this.version}.${shape.goName}`;
      case 'list':
        return `[]${this.typeName(shape.of)}`;
      case 'map':
        return shape.of.kind === 'quantity' ? 'v1.ResourceList' : `map[string]${this.typeName(shape.of)}`;
      case 'boolean':
        return 'bool';
      case 'string':
        return (shape.goName ?? 'string').replace('v1beta1', this.version);
      default:
        return shape.kind;
    }
  }
}

function firstOf<T>(values: readonly T[], check: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const problem = check(value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function quantityMisfit(value: unknown): string | undefined {
  try {
    // What is no text and no number fails by Go's pattern for quantities too.
    parseQuantity(typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? value : '');
    return undefined;
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
