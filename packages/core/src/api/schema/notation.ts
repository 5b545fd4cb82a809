import {
  boolean,
  type Field,
  int32,
  int64,
  intOrString,
  list,
  map,
  type Presence,
  quantity,
  type Shape,
  type StructShape,
  string,
  struct,
} from './shape.js';

const SCALARS: Record<string, Shape> = { string, boolean, int32, int64, quantity, intOrString };

/** Go types that are strings under another name, which type errors show. */
const STRING_TYPES = new Set(
  `AppArmorProfileType AzureDataDiskCachingMode AzureDataDiskKind Capability ContainerRestartPolicy HostPathType
    LabelSelectorOperator MountPropagationMode PersistentVolumeAccessMode PersistentVolumeMode ProcMountType Protocol
    PullPolicy RecursiveReadOnlyMode ResourceName ResourceResizeRestartPolicy SeccompProfileType StorageMedium
    TerminationMessagePolicy URIScheme`.split(/\s+/),
);

const KRUISE_STRING_TYPES = new Set(['SidecarContainerUpgradeType', 'ShareVolumePolicyType', 'PodInjectPolicyType']);

/** The mark after a field's name: none always written, `?` non-empty, `*` pointer, `!` pointer without omitempty. */
const PRESENCE: Record<string, Presence> = { '': 'always', '?': 'nonEmpty', '*': 'pointer', '!': 'always' };

const FIELD = /^([A-Za-z0-9]+)([?*!]?)(?::((?:\[\]|\{\})*)([A-Za-z0-9]+))?$/;

/**
 * Reads types from lines `Name field field...`, where a field is `name`, its presence mark and `:type`, a string if left out;
 * `[]T` is a list and `{}T` a map. An indented line continues the one before. A type must come before its use.
 */
export function parseTypes(
  text: string,
  known: ReadonlyMap<string, StructShape> = new Map(),
  { isKubernetes = true } = {},
): Map<string, StructShape> {
  const types = new Map(known);
  for (const line of text.trim().replaceAll('\n  ', ' ').split('\n')) {
    const [name = '', ...fields] = line.split(' ');
    types.set(
      name,
      struct(
        name,
        fields.map((each) => parseField(each, types)),
        { isKubernetes },
      ),
    );
  }
  return types;
}

function parseField(text: string, types: ReadonlyMap<string, StructShape>): Field {
  const match = FIELD.exec(text);
  const name = match?.[1];
  if (match === null || name === undefined) throw new TypeError(`unreadable field "${text}" in a type description`);
  return {
    name,
    goName: `${name[0]?.toUpperCase()}${name.slice(1)}`,
    presence: PRESENCE[match[2] ?? ''] ?? 'always',
    shape: parseShape(match[3] ?? '', match[4] ?? 'string', types),
    ...(match[2] === '!' ? { nullable: true } : {}),
  };
}

function parseShape(wrappers: string, name: string, types: ReadonlyMap<string, StructShape>): Shape {
  const inner = SCALARS[name] ?? types.get(name) ?? stringType(name);
  if (inner === undefined) throw new TypeError(`unknown type "${name}" in a type description`);
  const marks = wrappers.match(/\[\]|\{\}/g) ?? [];
  return marks.reduceRight<Shape>((of, mark) => (mark === '[]' ? list(of) : map(of)), inner);
}

const stringType = (name: string): Shape | undefined => {
  if (KRUISE_STRING_TYPES.has(name)) return { ...string, goName: `v1beta1.${name}` };
  return STRING_TYPES.has(name) ? { ...string, goName: `v1.${name}` } : undefined;
};

/** A type that must have been described. */
export function typeNamed(types: ReadonlyMap<string, StructShape>, name: string): StructShape {
  const type = types.get(name);
  if (type === undefined) throw new TypeError(`unknown type "${name}"`);
  return type;
}
