import { printJson } from '@sidestep/kube';
import { stringify } from 'yaml';

export type Format = 'yaml' | 'json';

/** Objects as kubectl prints them: several are documents of a YAML stream, or a List in JSON. */
export function printObjects(objects: readonly object[], format: Format): string {
  if (format === 'yaml') return objects.map(toYaml).join('---\n');
  const [only] = objects;
  return toJson(objects.length === 1 ? only : { apiVersion: 'v1', kind: 'List', items: objects });
}

/** YAML without anchors: injected pods share parts that a reader wants to see in each place. */
export const toYaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });

export const toJson = (value: unknown): string => `${printJson(value, 2)}\n`;

/** One document on one line, as a stream of changes has them. */
export const toJsonLine = (value: unknown): string => `${printJson(value)}\n`;
