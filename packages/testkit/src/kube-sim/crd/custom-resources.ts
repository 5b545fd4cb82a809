import { badRequest } from '../api-error.js';
import type { Kinds } from '../kinds.js';
import { builtinStrategy, customStrategy, type Strategy } from '../strategy.js';
import type { ResourceDefinition, SimObject } from '../types.js';
import { applyDefaults, listKeys, prune, type Schema } from './structural.js';
import { validateBySchema } from './validate.js';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** Schema of one served version. */
export const schemaOf = (kinds: Kinds, resource: ResourceDefinition): Schema | undefined =>
  kinds.versionOf(resource)?.schema?.openAPIV3Schema as Schema | undefined;

/** The rules for any kind: built in, or from the schema of its CustomResourceDefinition. */
export function strategyOf(kinds: Kinds, resource: ResourceDefinition): Strategy {
  if (resource.builtin) return builtinStrategy(resource);
  const schema = schemaOf(kinds, resource) ?? {};
  return {
    ...customStrategy(resource.hasStatus),
    default(object) {
      prune(schema, object);
      applyDefaults(schema, object);
    },
    validate: (object) => validateBySchema(schema, object),
  };
}

/** What a custom resource's schema does not know is dropped; the client hears of it, or is refused, as it asked. */
export function dropUnknownFields(
  kinds: Kinds,
  resource: ResourceDefinition,
  object: SimObject,
  validation: FieldValidation,
  warnings: string[],
): void {
  const schema = resource.builtin ? undefined : schemaOf(kinds, resource);
  const unknown = schema ? prune(schema, object) : [];
  if (unknown.length === 0 || validation === 'Ignore') return;
  const texts = unknown.map((path) => `unknown field "${path}"`);
  if (validation === 'Strict') {
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: strict decoding error: ${texts.join(', ')}`,
    );
  }
  warnings.push(...texts);
}

/** How lists of this kind are told apart by server-side apply. */
export const applyListKeys =
  (kinds: Kinds, resource: ResourceDefinition) =>
  (path: readonly string[]): string[] | 'atomic' | undefined =>
    resource.builtin ? undefined : listKeys(schemaOf(kinds, resource), path);
