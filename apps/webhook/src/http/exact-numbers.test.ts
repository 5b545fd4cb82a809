import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applyJsonPatch, defaultSidecarSet, type JsonPatch, type SidecarSet, withHashes } from '@sidestep/core';
import { parseJson, replaceNumbers } from '@sidestep/kube';
import fc from 'fast-check';
import { podRequest, sidecarSet, sidecarSetRequest } from '../../test/reviews.js';
import { serveEndpoints } from '../../test/served-endpoints.js';
import type { Webhook } from '../admission/reviews.js';

/** As much as an API server takes for an integer of 64 bits; printed by whoever wrote the object. */
const int64 = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String);

/** Numbers in spellings that are not JavaScript's. */
const literal = fc.oneof(
  int64,
  fc.bigInt().map(String),
  fc.constantFrom(
    '-0',
    '1.0',
    '1.50',
    '1E5',
    '1e+21',
    '1e400',
    '-1e-400',
    '0.12345678901234567890',
    '18446744073709551616',
  ),
);

/** JSON text of nearly any kind. */
const { text: anything } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 3 },
    literal,
    fc
      .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('9223372036854775807', '":1.0,"', '\\'))
      .map((each) => JSON.stringify(each)),
    fc.array(tie('text'), { maxLength: 3 }).map((items) => `[${items}]`),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor')), tie('text')), {
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((fields) => `{${fields.map(([key, value]) => `${JSON.stringify(key)}: ${value}`)}}`),
  ),
}));

/** With each number as a text: its digits, as they were written. */
const literally = (text: string): unknown => JSON.parse(replaceNumbers(text, (number) => `"number ${number}"`));

const reviewText = (request: object, object: string) =>
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${JSON.stringify({ ...request, object: 0 }).replace('"object":0', () => `"object":${object}`)}}`;

interface AdmissionResponse {
  allowed: boolean;
  patch?: string;
  status?: { message: string };
}

let served: Awaited<ReturnType<typeof serveEndpoints>>;

beforeAll(async () => {
  served = await serveEndpoints({ sidecarSets: [SET] });
});

afterAll(() => served.stop());

const ask = async (webhook: Webhook, request: object, object: string): Promise<AdmissionResponse> => {
  const { status, text } = await served.post(webhook, reviewText(request, object));
  expect(status).toBe(200);
  return JSON.parse(text).response;
};

/** The object as it is stored, with each number as a text. */
const patched = (object: string, { patch }: AdmissionResponse): unknown => {
  const operations = literally(Buffer.from(patch ?? '', 'base64').toString()) as JsonPatch;
  return applyJsonPatch(literally(object), operations);
};

const LARGEST = 9223372036854775807n;

/** Injected into every pod of the tests. */
const SET = sidecarSet({
  containers: [
    {
      name: 'mesh',
      image: 'mesh:v1',
      livenessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: LARGEST },
    },
  ],
});

const setText = (grace: string, unknown: string) =>
  `{"apiVersion":"apps.kruise.io/v1beta1","kind":"SidecarSet","metadata":{"name":"mesh"},"spec":{"selector":{"matchLabels":{"app":"web"}},
    "containers":[{"name":"mesh","image":"mesh:v1","livenessProbe":{"exec":{"command":["x"]},"terminationGracePeriodSeconds":${grace}},"newField":${unknown}}],
    "volumes":[{"name":"v","newSource":${unknown}}],"newField":${unknown}}}`;

describe('over HTTP', () => {
  test('a SidecarSet keeps every number of its writer, and its hash is of their digits', async () => {
    await fc.assert(
      fc.asyncProperty(int64, anything, async (grace, unknown) => {
        const sent = setText(grace, unknown);
        const stored = patched(sent, await ask('mutate-sidecarset', sidecarSetRequest(0), sent));
        expect(stored).toMatchObject(literally(sent) as object);
        const set = defaultSidecarSet(parseJson(setText(grace, '0')) as SidecarSet);
        expect(stored).toMatchObject({ metadata: { annotations: withHashes(set).metadata.annotations } });
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['9223372036854775807', '9223372036854775806'],
    ['9007199254740993', '9007199254740992'],
  ])('SidecarSets with %s and %s differ, and both are valid', async (one, other) => {
    const hashOf = async (grace: string) => {
      const sent = setText(grace, '0');
      const answer = await ask('mutate-sidecarset', sidecarSetRequest(0), sent);
      return (patched(sent, answer) as SidecarSet).metadata.annotations?.['kruise.io/sidecarset-hash'];
    };
    expect(await hashOf(one)).not.toBe(await hashOf(other));
    for (const grace of [one, other]) {
      expect(await ask('validate-sidecarset', sidecarSetRequest(0), setText(grace, '0'))).toMatchObject({
        allowed: true,
      });
    }
  });

  test.each(['9223372036854775808', '-9223372036854775809', '123456789012345678901234567890'])(
    "a SidecarSet with %s where 64 bits must do is refused in Go's words",
    async (grace) => {
      const answer = await ask('mutate-sidecarset', sidecarSetRequest(0), setText(grace, '0'));
      expect(answer.status?.message).toContain(`json: cannot unmarshal number ${grace} into Go struct field `);
      expect(answer.status?.message).toMatch(/terminationGracePeriodSeconds of type int64$/);
    },
  );

  test('a pod keeps every number of its own, and gets those of its sidecars', async () => {
    await fc.assert(
      fc.asyncProperty(int64, anything, async (number, unknown) => {
        const app = `{"name":"app","image":"app:v1","securityContext":{"runAsUser":${number}},"env":[{"name":"A","newField":${unknown}}],"resources":{"limits":{"memory":${number}}}}`;
        const sent = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","labels":{"app":"web"},"generation":${number}},
          "spec":{"containers":[${app}],"activeDeadlineSeconds":${number},"volumes":[{"name":"v","newSource":${unknown}}],"newField":${unknown}}}`;
        const stored = patched(sent, await ask('mutate-pod', podRequest(0), sent)) as {
          spec: { containers: { name: string }[] };
        };
        const containers = new Map(stored.spec.containers.map((each) => [each.name, each]));
        expect(containers.get('app')).toEqual(literally(app));
        expect(containers.get('mesh')).toMatchObject({
          livenessProbe: { terminationGracePeriodSeconds: `number ${LARGEST}` },
        });
        expect({ ...stored, spec: { ...stored.spec, containers: [containers.get('app')] } }).toMatchObject(
          literally(sent) as object,
        );
      }),
      { numRuns: 40 },
    );
  });

  test('a SidecarSet comes back from the other version digit for digit', async () => {
    const convert = async (object: string, desiredAPIVersion: string): Promise<string> => {
      const body = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"${desiredAPIVersion}","objects":[${object}]}}`;
      const { status, text } = await served.post('convert', body);
      expect(status).toBe(200);
      expect(JSON.parse(text).response.result).toEqual({ status: 'Success' });
      return (
        /"convertedObjects":\[(.*)\],"result"|"convertedObjects":\[(.*)\]\}\}$/s.exec(text)?.slice(1).find(Boolean) ??
        ''
      );
    };
    const versions = fc.constantFrom(['v1alpha1', 'v1beta1'], ['v1beta1', 'v1alpha1']);
    const named = fc.constantFrom(
      '',
      '"namespace":"shop",',
      '"namespace":"shop","namespaceSelector":{"newField":9223372036854775807},',
    );
    await fc.assert(
      fc.asyncProperty(
        versions,
        named,
        literal,
        anything,
        anything,
        async ([from, to], namespace, number, unknown, status) => {
          const own = from === 'v1alpha1' ? namespace : '';
          const sent = `{"apiVersion":"apps.kruise.io/${from}","kind":"SidecarSet","metadata":{"name":"mesh","generation":${number},"newField":${unknown}},
          "spec":{${own}"containers":[{"name":"mesh","livenessProbe":{"terminationGracePeriodSeconds":${number}},"newField":${unknown}}],"newField":${number}},
          "status":${status},"newField":${unknown}}`;
          const there = await convert(sent, `apps.kruise.io/${to}`);
          const { spec, ...rest } = literally(sent) as { spec: { containers: unknown } };
          expect(literally(there)).toMatchObject({
            ...rest,
            apiVersion: `apps.kruise.io/${to}`,
            spec: { containers: spec.containers },
          });
          expect(literally(await convert(there, `apps.kruise.io/${from}`))).toEqual(literally(sent));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a number in the place of a word is refused with its digits', async () => {
    const answer = await ask(
      'mutate-sidecarset',
      sidecarSetRequest(0),
      '{"apiVersion":9223372036854775807,"kind":"SidecarSet"}',
    );
    expect(answer.status?.message).toContain('got apiVersion 9223372036854775807');
  });
});
