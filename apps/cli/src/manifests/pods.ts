import type { Pod } from '@sidestep/core';
import { z } from 'zod';
import { CliError } from '../errors.js';
import type { Manifest } from './read-manifests.js';

const text = z.string('a text');
const textMap = z.record(z.string(), text, 'a map of texts').nullish();
const quantity = z.union([text, z.number(), z.bigint()], 'a quantity');

const Container = z.looseObject(
  {
    name: text,
    image: text.optional(),
    env: z.array(z.looseObject({ name: text, value: text.optional() }, 'an object'), 'a list').nullish(),
    resources: z
      .looseObject({
        limits: z.record(z.string(), quantity).nullish(),
        requests: z.record(z.string(), quantity).nullish(),
      })
      .nullish(),
    volumeMounts: z.array(z.looseObject({ name: text, mountPath: text }, 'an object'), 'a list').nullish(),
    volumeDevices: z.array(z.looseObject({ name: text, devicePath: text }, 'an object'), 'a list').nullish(),
  },
  'an object',
);

/** What the rules read of a pod; an API server has checked it already, a file has not. */
const PodShape = z.looseObject({
  metadata: z.looseObject(
    { name: text.optional(), namespace: text.optional(), labels: textMap, annotations: textMap },
    'an object',
  ),
  spec: z.looseObject(
    {
      containers: z.array(Container, 'a list'),
      initContainers: z.array(Container, 'a list').nullish(),
      volumes: z.array(z.looseObject({ name: text }, 'an object'), 'a list').nullish(),
      imagePullSecrets: z.array(z.looseObject({ name: text.optional() }, 'an object'), 'a list').nullish(),
    },
    'an object',
  ),
  status: z
    .looseObject({
      conditions: z.array(z.looseObject({ type: text, status: text })).nullish(),
      containerStatuses: z.array(z.looseObject({ name: text })).nullish(),
    })
    .nullish(),
});

/** The manifest as a pod. Throws `CliError` that names the first field that cannot be one. */
export function podOf({ object, where }: Manifest): Pod {
  const parsed = PodShape.safeParse(object);
  if (parsed.success) return object as unknown as Pod;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') ?? '';
  throw new CliError('INPUT_INVALID', `${where}: ${field.slice(1)} cannot be read as part of a Pod`, {
    hint: `There must be ${issue?.message ?? 'another value'}. kubectl explain pod tells the fields.`,
  });
}
