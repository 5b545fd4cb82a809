import type { Field, ListShape, Shape, StructShape } from './shape.js';
import { RESOURCES_POLICY, SIDECAR_CONTAINERS } from './sidecar-container-types.js';

/** A structural schema of apiextensions.k8s.io/v1. */
export interface CrdSchema {
  type?: string;
  description?: string;
  format?: string;
  enum?: readonly string[];
  minimum?: number;
  default?: unknown;
  required?: string[];
  properties?: Record<string, CrdSchema>;
  additionalProperties?: CrdSchema;
  items?: CrdSchema;
  anyOf?: CrdSchema[];
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-map-type'?: 'atomic';
  'x-kubernetes-list-type'?: 'atomic';
}

/** The schema of a type, for the CRD. */
export function crdSchema(shape: Shape): CrdSchema {
  switch (shape.kind) {
    case 'struct':
      return structSchema(shape);
    case 'list':
      return { type: 'array', items: shape.schemaless ? schemalessItem(shape) : crdSchema(shape.of) };
    case 'map':
      return { type: 'object', additionalProperties: crdSchema(shape.of) };
    case 'intOrString':
      return { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
    case 'int32':
    case 'int64': {
      const schema: CrdSchema = { type: 'integer', format: shape.kind };
      return shape.minimum === undefined ? schema : { ...schema, minimum: shape.minimum };
    }
    case 'boolean':
      return { type: 'boolean' };
    default:
      return {
        type: 'string',
        ...(shape.format ? { format: shape.format } : {}),
        ...(shape.enum ? { enum: shape.enum } : {}),
      };
  }
}

function structSchema(shape: StructShape): CrdSchema {
  const required = shape.fields.filter((field) => field.required).map((field) => field.name);
  const schema: CrdSchema = {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(shape.fields.map((field) => [field.name, fieldSchema(field)])),
  };
  return shape.isKubernetes ? { ...schema, 'x-kubernetes-map-type': 'atomic' } : schema;
}

/** A field of a struct: its type's schema with what is said about the field. */
export function fieldSchema({ shape, description, default: value }: Field): CrdSchema {
  return {
    ...(description === undefined ? {} : { description }),
    ...crdSchema(shape),
    ...(value === undefined ? {} : { default: value }),
  };
}

/**
 * As in OpenKruise's CRD, the API server takes any container and volume, so that clusters with newer fields can use them; the
 * webhook validates them. Only `resourcesPolicy`, which no Kubernetes has, is described.
 */
function schemalessItem({ of }: ListShape): CrdSchema {
  const isContainer = of === SIDECAR_CONTAINERS.of;
  const description = 'Computes the sidecar’s resources from those of the pod’s containers, when the pod is created.';
  return {
    type: 'object',
    ...(isContainer ? { properties: { resourcesPolicy: { description, ...crdSchema(RESOURCES_POLICY) } } } : {}),
    'x-kubernetes-preserve-unknown-fields': true,
  };
}
