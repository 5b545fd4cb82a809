import { describe, expect, jest, test } from '@jest/globals';
import { applyJsonPatch, type JsonPatch } from '@sidestep/core';
import { type MemoryViewOptions, memoryView } from '../../test/memory-view.js';
import { pod, podRequest, sidecarSet } from '../../test/reviews.js';
import { mutatePod } from './mutate-pod.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';

const answer = (
  request: AdmissionRequest,
  view: MemoryViewOptions = {},
  onInjected: (sets: readonly string[]) => void = () => undefined,
) =>
  mutatePod(request, {
    view: memoryView({ sidecarSets: [sidecarSet()], ...view }),
    now: () => new Date(0),
    onInjected,
  });

const containersAfter = (request: AdmissionRequest, given: AdmissionAnswer): string[] => {
  const patch = given.allowed ? (given.patch ?? []) : [];
  const { spec } = applyJsonPatch(request.object as ReturnType<typeof pod>, patch as JsonPatch);
  return spec.containers.map(({ name }) => name);
};

describe('a pod that is being created', () => {
  test('gets the sidecars of the sets that select it', async () => {
    const request = podRequest(pod());
    expect(containersAfter(request, await answer(request))).toEqual(['mesh', 'app']);
  });

  test('that no set selects is left alone', async () => {
    expect(await answer(podRequest(pod({ app: 'other' })))).toEqual({ allowed: true, patch: [], warnings: [] });
  });

  test.each<[string, Partial<AdmissionRequest>]>([
    ['an update', { operation: 'UPDATE' }],
    ['a deletion', { operation: 'DELETE', object: undefined }],
    ['a subresource', { subResource: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' } }],
  ])('is all that is looked at: %s is allowed as it is', async (_, more) => {
    expect(await answer(podRequest(pod(), more))).toEqual({ allowed: true });
  });

  test.each<[string, Partial<AdmissionRequest>, string]>([
    [
      'a SidecarSet',
      {
        kind: { group: 'apps.kruise.io', version: 'v1beta1', kind: 'SidecarSet' },
        resource: { group: 'apps.kruise.io', version: 'v1beta1', resource: 'sidecarsets' },
      },
      '/mutate-pod takes requests about the resource "pods" in the core group of kind "Pod" in the core group, and this one ' +
        'is about the resource "sidecarsets" in group "apps.kruise.io" of kind "SidecarSet" in group "apps.kruise.io"',
    ],
    ['of another kind', { kind: { group: 'policy', version: 'v1', kind: 'Eviction' } }, 'of kind "Eviction"'],
    ['another resource', { resource: { group: 'apps', version: 'v1', resource: 'deployments' } }, '"deployments"'],
    ['of a foreign group', { resource: { group: 'x', version: 'v1', resource: 'pods' } }, '"pods" in group "x"'],
    ['of no operation that there is', { operation: 'PEEK' }, 'and this request is "PEEK"'],
    ['of no kind', { kind: { group: '', version: '', kind: '' } }, 'of kind "" in the core group'],
    ['called something else by itself', { object: { ...pod(), kind: 'Deployment' } }, 'has a kind that is not "Pod"'],
    ['of another version by itself', { object: { ...pod(), apiVersion: 'v2' } }, 'has an apiVersion that is not "v1"'],
  ])('is refused, with what came and what is taken, when it is %s', async (_, more, message) => {
    const given = await answer(podRequest(pod(), more));
    expect(given).toMatchObject({ allowed: false, code: 400, reason: 'BadRequest' });
    expect(given).toHaveProperty('message', expect.stringContaining(message));
  });

  test('is counted by the sets that it got, unless it is only a dry run', async () => {
    const onInjected = jest.fn();
    await answer(podRequest(pod(), { dryRun: true }), {}, onInjected);
    expect(onInjected).not.toHaveBeenCalled();
    await answer(podRequest(pod()), {}, onInjected);
    expect(onInjected).toHaveBeenCalledWith(['mesh']);
  });

  test('waits for its namespace to be known when a set asks for its labels', async () => {
    const namespaces: Record<string, Record<string, string>> = {};
    const sidecarSets = [sidecarSet({ namespaceSelector: { matchLabels: { team: 'a' } } })];
    const onWait = () => {
      namespaces.shop = { team: 'a' };
    };
    const request = podRequest(pod());
    expect(containersAfter(request, await answer(request, { sidecarSets, namespaces, onWait }))).toEqual([
      'mesh',
      'app',
    ]);
  });

  test('is created with a warning when its namespace stays unknown', async () => {
    const sidecarSets = [sidecarSet({ namespaceSelector: { matchLabels: { team: 'a' } } })];
    expect(await answer(podRequest(pod()), { sidecarSets, namespaces: {} })).toMatchObject({
      allowed: true,
      patch: [],
      warnings: [expect.stringContaining('SidecarSet mesh was not injected')],
    });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'pod'],
    ['a list', []],
    ['no metadata', { spec: { containers: [] } }],
    ['labels that are numbers', { metadata: { labels: { app: 1 } }, spec: { containers: [] } }],
    ['annotations that are a text', { metadata: { annotations: 'x' }, spec: { containers: [] } }],
    ['no spec', { metadata: {} }],
    ['no containers', { metadata: {}, spec: {} }],
    ['containers that are an object', { metadata: {}, spec: { containers: {} } }],
    ['a container that is null', { metadata: {}, spec: { containers: [null] } }],
    ['env that is a text', { metadata: {}, spec: { containers: [{ env: 'x' }] } }],
    ['mounts with null', { metadata: {}, spec: { containers: [{ volumeMounts: [null] }] } }],
    ['volumes that are a text', { metadata: {}, spec: { containers: [], volumes: 'x' } }],
    ['a status that is a text', { metadata: {}, spec: { containers: [] }, status: 'Running' }],
  ])('is refused when it is %s', async (_, object) => {
    expect(await answer(podRequest(object))).toMatchObject({
      allowed: false,
      code: 400,
      message: expect.stringContaining('cannot be read as a Pod'),
    });
  });
});
