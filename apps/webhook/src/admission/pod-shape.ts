import { isObject } from './review.js';

/** Says what is wrong with a value; `undefined` when it is as injection expects it. */
type Shape = (value: unknown) => string | undefined;

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const text: Shape = (value) => (typeof value === 'string' ? undefined : 'is not a string');

const word =
  (only: string): Shape =>
  (value) =>
    value === only ? undefined : `is not ${JSON.stringify(only)}`;

const quantity: Shape = (value) =>
  ['string', 'number', 'bigint'].includes(typeof value) ? undefined : 'is not a quantity';

const optional =
  (shape: Shape): Shape =>
  (value) =>
    isAbsent(value) ? undefined : shape(value);

const mapOf =
  (shape: Shape): Shape =>
  (value) => {
    if (!isObject(value)) return 'is not an object';
    for (const key in value) {
      const problem = shape(value[key]);
      if (problem) return `has a value that ${problem}`;
    }
    return undefined;
  };

const listOf =
  (shape: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return 'is not a list';
    for (const element of value) {
      const problem = shape(element);
      if (problem) return `has an element that ${problem}`;
    }
    return undefined;
  };

const object = (fields: Record<string, Shape>): Shape => {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return 'is not an object';
    for (const [field, shape] of entries) {
      const problem = shape(value[field]);
      if (problem) return `has ${/^[aeio]/.test(field) ? 'an' : 'a'} ${field} that ${problem}`;
    }
    return undefined;
  };
};

const named = (fields: Record<string, Shape> = {}): Shape => object({ name: text, ...fields });

const CONTAINER = named({
  env: optional(listOf(named({ value: optional(text) }))),
  resources: optional(object({ limits: optional(mapOf(quantity)), requests: optional(mapOf(quantity)) })),
  restartPolicy: optional(text),
  volumeMounts: optional(listOf(named({ mountPath: text, subPathExpr: optional(text) }))),
  volumeDevices: optional(listOf(named({ devicePath: text }))),
});

const POD = object({
  apiVersion: optional(word('v1')),
  kind: optional(word('Pod')),
  metadata: object({
    name: optional(text),
    namespace: optional(text),
    generateName: optional(text),
    uid: optional(text),
    labels: optional(mapOf(text)),
    annotations: optional(mapOf(text)),
  }),
  spec: object({
    containers: listOf(CONTAINER),
    initContainers: optional(listOf(CONTAINER)),
    volumes: optional(listOf(named())),
    imagePullSecrets: optional(listOf(object({ name: optional(text) }))),
  }),
  status: optional(object({ phase: optional(text) })),
});

/**
 * Says what makes an object unreadable as a Pod; `undefined` when it is well formed as far as injection reads it. API servers
 * only send well-formed pods; others may not, and a patch on top of nonsense would be nonsense.
 */
export const podShapeProblem = (value: unknown): string | undefined =>
  value === undefined ? 'the request has no object' : POD(value);
