import { describe, expect, test } from '@jest/globals';
import type { Container } from '../api/kubernetes.js';
import { InjectionRefused } from './injection-plan.js';
import { placeContainers, type Sidecar, warnAcrossLists } from './place-containers.js';

const app: Container = { name: 'app', image: 'app:1' };

function aSidecar(name: string, more: Partial<Sidecar> = {}): Sidecar {
  const image = `${name}:${more.sidecarSet ?? 's'}`;
  return { container: { name, image }, before: false, sidecarSet: 's', rejectsConflict: false, ...more };
}

describe('a sidecar with the name of a container in the pod', () => {
  test('takes its place with a warning', () => {
    const { replaced, before, after, warnings } = placeContainers([{ name: 'x' }, app], [aSidecar('app')]);
    expect([...replaced]).toEqual([[1, { name: 'app', image: 'app:s' }]]);
    expect([before, after]).toEqual([[], []]);
    expect(warnings).toEqual(["container app of SidecarSet s replaces the pod's own one"]);
  });

  test('refuses the pod when its SidecarSet says so', () => {
    expect(() => placeContainers([app], [aSidecar('app', { rejectsConflict: true })])).toThrow(InjectionRefused);
  });

  test('replaces one that was injected before without a word', () => {
    const injected = { name: 'app', env: [{ name: 'IS_INJECTED', value: 'true' }] };
    const { replaced, warnings } = placeContainers([injected], [aSidecar('app', { rejectsConflict: true })]);
    expect([replaced.size, warnings]).toEqual([1, []]);
  });

  test('wins over that of an earlier SidecarSet, in its place, with a warning', () => {
    const sidecars = [aSidecar('m', { sidecarSet: 'a', before: true }), aSidecar('m', { sidecarSet: 'b' })];
    const { before, after, warnings } = placeContainers([app], sidecars);
    expect([before, after]).toEqual([[{ name: 'm', image: 'm:b' }], []]);
    expect(warnings).toEqual(['container m of SidecarSet b replaces the one of SidecarSet a']);
    expect(() => placeContainers([], [sidecars[0]!, { ...sidecars[1]!, rejectsConflict: true }])).toThrow(
      InjectionRefused,
    );
  });
});

describe('a sidecar with a name of its own', () => {
  test('goes before or after all containers of the pod, in the given order', () => {
    const sidecars = [aSidecar('c', { before: true }), aSidecar('d'), aSidecar('a', { before: true }), aSidecar('b')];
    const { before, after, replaced } = placeContainers([app], sidecars);
    expect([before, after].map((list) => list.map(({ name }) => name))).toEqual([
      ['c', 'a'],
      ['d', 'b'],
    ]);
    expect(replaced.size).toBe(0);
  });
});

describe('a sidecar with the name of a container in the other list of the pod', () => {
  const none = { existing: [], sidecars: [] };

  test('is warned of, for the API server refuses the pod', () => {
    const init = { existing: [], sidecars: [aSidecar('app'), aSidecar('b')] };
    expect(warnAcrossLists(init, { existing: [app], sidecars: [] })).toEqual([
      'container app of SidecarSet s has the same name as a container of the pod, and no API server takes both',
    ]);
    expect(warnAcrossLists({ existing: [app], sidecars: [] }, { existing: [], sidecars: [aSidecar('app')] })).toEqual([
      'container app of SidecarSet s has the same name as an init container of the pod, and no API server takes both',
    ]);
    expect(warnAcrossLists(init, { existing: [], sidecars: [aSidecar('b')] })).toHaveLength(2);
  });

  test('is refused when its SidecarSet says so', () => {
    const init = { existing: [], sidecars: [aSidecar('app', { rejectsConflict: true })] };
    expect(() => warnAcrossLists(init, { existing: [app], sidecars: [] })).toThrow(InjectionRefused);
    expect(warnAcrossLists(init, none)).toEqual([]);
  });
});
