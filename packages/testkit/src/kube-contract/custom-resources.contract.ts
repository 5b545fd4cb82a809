import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject, ResourceKind } from '@sidestep/kube';
import { CRDS, eventually, refusal, type Subject, Watching } from './subject.js';
import { startWebhookServer, type WebhookServer } from './webhook-server.js';

type Open = Record<string, unknown>;

const GROUP = 'contract.sidestep.dev';
const gadgets = (version: string): ResourceKind => ({
  group: GROUP,
  version,
  plural: 'gadgets',
  kind: 'Gadget',
  namespaced: false,
});
const V1 = gadgets('v1');
const V1ALPHA1 = gadgets('v1alpha1');

const SCHEMA = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 0 },
        legacySize: { type: 'integer' },
        partition: { 'x-kubernetes-int-or-string': true },
        mode: { type: 'string', enum: ['Slow', 'Fast'], default: 'Slow' },
        paused: { type: 'boolean' },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        parts: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } },
          },
        },
      },
    },
    status: { type: 'object', properties: { matched: { type: 'integer' } } },
  },
};

const definition = (server: WebhookServer): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gadgets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Cluster',
    names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget' },
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: server.url('/convert'), caBundle: server.caBundle },
      },
    },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: SCHEMA }, subresources: { status: {} } },
      {
        name: 'v1alpha1',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        subresources: { status: {} },
      },
    ],
  },
});

/** v1 has `spec.size`, v1alpha1 calls it `spec.legacySize`. */
function convert(request: Open): object {
  const wanted = request.desiredAPIVersion as string;
  const convertedObjects = (request.objects as (KubeObject & { spec: Open })[]).map((object) => {
    const { size, legacySize, ...spec } = object.spec;
    const renamed = wanted.endsWith('/v1') ? { size: legacySize } : { legacySize: size };
    return { ...object, apiVersion: wanted, spec: { ...spec, ...renamed } };
  });
  return { result: { status: 'Success' }, convertedObjects };
}

export const customResourceContract = (subject: Subject): void => {
  describe('custom resources', () => {
    let server: WebhookServer;

    const gadget = (name: string, spec: Open, version = 'v1'): KubeObject & { spec: Open; status?: Open } => ({
      apiVersion: `${GROUP}/${version}`,
      kind: 'Gadget',
      metadata: { name },
      spec,
    });

    beforeAll(async () => {
      server = await startWebhookServer((request) => convert(request));
      await subject.api.create(CRDS, definition(server));
      await eventually('the kind to be served', () =>
        subject.api.list(V1).then(
          () => true as const,
          () => undefined,
        ),
      );
      await eventually('the definition to be established', async () => {
        const crd = await subject.api.get<KubeObject>(CRDS, { name: `gadgets.${GROUP}` });
        const conditions = ((crd.status as Open | undefined)?.conditions ?? []) as Open[];
        return conditions.some(({ type, status }) => type === 'Established' && status === 'True') || undefined;
      });
    }, 120_000);

    afterAll(async () => {
      await subject.api.delete(CRDS, { name: `gadgets.${GROUP}` });
      await server.stop();
    });

    test('defaults are filled in, unknown fields dropped, free ones kept', async () => {
      const spec = {
        size: 1,
        bogus: true,
        free: { any: { thing: 1 } },
        parts: [{ name: 'a', odd: 1 }],
        partition: '10%',
      };
      const stored = await subject.api.create(V1, gadget('defaults', spec));
      expect(stored.spec).toEqual({
        size: 1,
        mode: 'Slow',
        free: { any: { thing: 1 } },
        parts: [{ name: 'a', weight: 1 }],
        partition: '10%',
      });
      expect(stored.metadata.generation).toBe(1);
    });

    describe('numbers', () => {
      const size = 2n ** 53n + 1n;
      const free = { most: 2n ** 63n - 1n, least: -(2n ** 63n), list: [size, 1, 0.5] };

      test('have every digit of 64 bits, however they are written and read', async () => {
        const ref = { name: 'digits' };
        const spec = { size, free };
        expect((await subject.api.create(V1, gadget('digits', spec))).spec).toMatchObject(spec);
        expect((await subject.api.get<KubeObject>(V1, ref)).spec).toMatchObject(spec);
        const old = await subject.api.get<KubeObject>(V1ALPHA1, ref);
        expect(old.spec).toMatchObject({ legacySize: size, free });
        const merged = { size: size + 2n, free: { extra: size } };
        const patched = await subject.api.patch<KubeObject>(V1, ref, { spec: merged }, { type: 'merge' });
        expect(patched.spec).toMatchObject({ size: size + 2n, free: { ...free, extra: size } });
        const operations = [{ op: 'add', path: '/spec/free/extra', value: size + 4n }];
        await subject.api.patch(V1, ref, operations, { type: 'json' });
        const applied = { ...gadget('digits', { free: { applied: size + 6n } }), metadata: ref };
        await subject.api.patch(V1, ref, applied, { type: 'apply', fieldManager: 'sidestep', force: true });
        const { items, metadata } = await subject.api.list<KubeObject>(V1);
        const listed = items.find((item) => item.metadata.name === 'digits');
        expect(listed?.spec).toMatchObject({ free: { ...free, extra: size + 4n, applied: size + 6n } });
        const watching = new Watching(subject.api, V1, { resourceVersion: metadata.resourceVersion ?? '' });
        await subject.api.patch(V1, ref, { metadata: { labels: { a: 'b' } } }, { type: 'merge' });
        await watching.saw('MODIFIED digits');
        expect(watching.events.at(-1)?.object).toMatchObject({ spec: listed?.spec });
        await watching.stop();
      });

      test('beyond 64 bits are doubles', async () => {
        const sent = { most: 2n ** 63n, least: -(2n ** 63n) - 1n, far: 10n ** 30n };
        const { spec } = await subject.api.create(V1, gadget('doubles', { size: 1, free: sent }));
        expect(spec.free).toEqual({ most: 2 ** 63, least: -(2 ** 63), far: 1e30 });
      });
    });

    test.each([
      [
        'size',
        { size: 'big' },
        'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
      ],
      ['missing', {}, 'spec.size: Required value'],
      ['minimum', { size: -1 }, 'spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0'],
      ['enum', { size: 1, mode: 'Odd' }, 'spec.mode: Unsupported value: "Odd": supported values: "Slow", "Fast"'],
      [
        'intOrString',
        { size: 1, partition: true },
        'spec.partition: Invalid value: "boolean": spec.partition in body must be of type integer,string: "boolean"',
      ],
      ['nested', { size: 1, parts: [{ weight: 1 }] }, 'spec.parts[0].name: Required value'],
    ])('a value against the schema is refused with its path: %s', async (name, spec, message) => {
      const refused = await refusal(subject.api.create(V1, gadget(`bad-${name.toLowerCase()}`, spec)));
      expect(refused).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(refused.message).toContain(`Gadget.${GROUP} "bad-${name.toLowerCase()}" is invalid: `);
      expect(refused.message).toContain(message);
    });

    test('spec and status are written apart, and only the spec makes a generation', async () => {
      const created = await subject.api.create(V1, { ...gadget('apart', { size: 1 }), status: { matched: 9 } });
      expect(created.status).toBeUndefined();
      const counted = await subject.api.replace(
        V1,
        { ...created, spec: { size: 5 }, status: { matched: 3 } },
        { subresource: 'status' },
      );
      expect(counted).toMatchObject({ spec: { size: 1 }, status: { matched: 3 }, metadata: { generation: 1 } });
      const changed = await subject.api.patch<KubeObject>(
        V1,
        { name: 'apart' },
        { spec: { size: 2 }, status: { matched: 0 } },
        { type: 'merge' },
      );
      expect(changed).toMatchObject({ spec: { size: 2 }, status: { matched: 3 }, metadata: { generation: 2 } });
      const labelled = await subject.api.patch<KubeObject>(
        V1,
        { name: 'apart' },
        { metadata: { labels: { a: 'b' } } },
        { type: 'merge' },
      );
      expect(labelled.metadata.generation).toBe(2);
    });

    test('a replacement must say which version it replaces; a strategic merge is not understood', async () => {
      await subject.api.create(V1, gadget('strict', { size: 1 }));
      const blind = await refusal(subject.api.replace(V1, gadget('strict', { size: 2 })));
      expect(blind).toMatchObject({ status: 422, reason: 'Invalid' });
      expect(blind.message).toContain('metadata.resourceVersion: Invalid value: 0: must be specified for an update');
      const strategic = await refusal(
        subject.api.patch(V1, { name: 'strict' }, { spec: { size: 2 } }, { type: 'strategic' }),
      );
      expect(strategic).toMatchObject({ status: 415, reason: 'UnsupportedMediaType' });
    });

    test('an apply to the status leaves the spec alone', async () => {
      await subject.api.create(V1, gadget('applied', { size: 1 }));
      const status = {
        apiVersion: `${GROUP}/v1`,
        kind: 'Gadget',
        metadata: { name: 'applied' },
        status: { matched: 4 },
      };
      const applied = await subject.api.patch<KubeObject>(V1, { name: 'applied' }, status, {
        type: 'apply',
        subresource: 'status',
        fieldManager: 'sidestep',
        force: true,
      });
      expect(applied).toMatchObject({ spec: { size: 1 }, status: { matched: 4 } });
    });

    test('a watch from before the kind existed is answered with 410 Expired', async () => {
      const watching = new Watching(subject.api, V1, { resourceVersion: '1' });
      const error = await watching.ended;
      expect(error).toMatchObject({ status: 410, reason: 'Expired' });
      expect((error as Error).message).toContain('too old resource version: 1');
    });

    test('another version is converted by the webhook, in both directions, in lists and watches too', async () => {
      await subject.api.create(V1ALPHA1, gadget('old', { legacySize: 7 }, 'v1alpha1'));
      expect((await subject.api.get<KubeObject>(V1, { name: 'old' })).spec).toMatchObject({ size: 7, mode: 'Slow' });
      const read = await subject.api.get<KubeObject>(V1ALPHA1, { name: 'old' });
      expect(read).toMatchObject({ apiVersion: `${GROUP}/v1alpha1`, spec: { legacySize: 7 } });
      const { items } = await subject.api.list<KubeObject>(V1ALPHA1);
      expect(items.find((item) => item.metadata.name === 'old')?.spec).toMatchObject({ legacySize: 7 });
      const changed = await subject.api.replace<KubeObject>(V1ALPHA1, { ...read, spec: { legacySize: 8 } });
      expect(changed.spec).toMatchObject({ legacySize: 8 });
      expect((await subject.api.get<KubeObject>(V1, { name: 'old' })).spec).toMatchObject({ size: 8 });
    });
  });
};
