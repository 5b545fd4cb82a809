import { printJson } from '../json.js';
import type { CrdVersion } from '../kinds.js';
import type { ResourceDefinition, SimObject } from '../types.js';
import { AGE, BUILTIN_COLUMNS, type Column, DEFAULT_COLUMNS, humanAge, NAME } from './columns.js';
import { readJsonPath } from './json-path.js';

/** The columns of any kind; of a custom resource those of its definition, in the served version. */
export function columnsOf(resource: ResourceDefinition, version: CrdVersion | undefined): Column[] {
  if (resource.builtin) return BUILTIN_COLUMNS[resource.plural] ?? DEFAULT_COLUMNS;
  const declared = version?.additionalPrinterColumns;
  if (!declared?.length) return [NAME, AGE];
  return [
    NAME,
    ...declared.map(({ name, type, jsonPath, priority = 0 }) => ({
      name,
      type,
      priority,
      value: (object: SimObject, now: Date) => cell(readJsonPath(object, jsonPath), type, now),
    })),
  ];
}

function cell(value: unknown, type: string, now: Date): unknown {
  if (type === 'date') return humanAge(value, now);
  if (value === undefined || value === null) return type === 'string' ? '' : undefined;
  return typeof value === 'object' ? printJson(value) : value;
}

export interface TableParts {
  columns: readonly Column[];
  objects: readonly SimObject[];
  metadata: object;
  /** `Object`, `Metadata` or `None`: what each row carries of its object. */
  include: string;
  /** Later events of a watch leave the column definitions out. */
  withDefinitions: boolean;
  now: Date;
}

/** A `meta.k8s.io/v1` Table, which is what `kubectl get` prints (kubernetes.io, "Receiving resources as Tables"). */
export function renderTable({ columns, objects, metadata, include, withDefinitions, now }: TableParts): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withDefinitions
      ? columns.map(({ name, type, format, priority }) => ({
          name,
          type,
          format: format ?? '',
          description: '',
          priority: priority ?? 0,
        }))
      : [],
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.value(object, now) ?? null),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  };
}

/** As an API server gives the metadata of an object alone (kubernetes.io, "Metadata-only fetches"). */
export const partial = (object: SimObject): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});
