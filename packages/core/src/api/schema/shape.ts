/**
 * A small language for the Go types behind the API. One description of a type serves the bytes that are hashed, the defaults,
 * the type checks, the values printed in messages and the CRD, so that none of them can disagree about a field.
 */

export interface ScalarShape {
  readonly kind: 'string' | 'boolean' | 'int32' | 'int64' | 'quantity' | 'intOrString';
  /** The Go type's name where it is not that of the kind. */
  readonly goName?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  /** The OpenAPI format where the kind does not tell it. */
  readonly format?: string;
}

export interface ListShape {
  readonly kind: 'list';
  readonly of: Shape;
  /** The CRD says nothing about what is inside but `resourcesPolicy`, and keeps unknown fields. */
  readonly schemaless?: boolean;
}

export interface MapShape {
  readonly kind: 'map';
  readonly of: Shape;
  /** The Go type's name where it has one. */
  readonly goName?: string;
}

export interface StructShape {
  readonly kind: 'struct';
  /** The Go type's name, as messages print it. */
  readonly goName: string;
  /** Of Kubernetes' own API, rather than of SidecarSets. */
  readonly isKubernetes: boolean;
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
}

export type Shape = ScalarShape | ListShape | MapShape | StructShape;

/**
 * How Go writes the field: `always` even when empty, `nonEmpty` unless it is the zero value (a nested struct is never empty),
 * `pointer` whenever it is set at all.
 */
export type Presence = 'always' | 'nonEmpty' | 'pointer';

export interface Field {
  readonly name: string;
  readonly goName: string;
  readonly presence: Presence;
  readonly shape: Shape;
  readonly description?: string;
  /** A pointer without `omitempty`: written as `null` when unset. */
  readonly nullable?: boolean;
  /** The CRD demands it. */
  readonly required?: boolean;
  /** Sidestep's own: OpenKruise neither knows nor prints it. */
  readonly own?: boolean;
  readonly default?: string;
}

type Notes = Partial<Omit<Field, 'name' | 'presence' | 'shape'>>;

const field =
  (presence: Presence) =>
  (name: string, shape: Shape, notes: Notes = {}): Field => ({
    name,
    goName: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    presence,
    shape,
    ...notes,
  });

/** A field without `omitempty`. */
export const always = field('always');
/** A field with `omitempty`, not a pointer. */
export const nonEmpty = field('nonEmpty');
/** A pointer field with `omitempty`. */
export const pointer = field('pointer');

export const string: ScalarShape = { kind: 'string' };
export const boolean: ScalarShape = { kind: 'boolean' };
export const int32: ScalarShape = { kind: 'int32' };
export const int64: ScalarShape = { kind: 'int64' };
export const quantity: ScalarShape = { kind: 'quantity' };
export const intOrString: ScalarShape = { kind: 'intOrString' };
export const list = (of: Shape): ListShape => ({ kind: 'list', of });
export const map = (of: Shape): MapShape => ({ kind: 'map', of });

export function struct(goName: string, fields: readonly Field[], { isKubernetes = false } = {}): StructShape {
  return { kind: 'struct', goName, isKubernetes, fields, byName: new Map(fields.map((each) => [each.name, each])) };
}
