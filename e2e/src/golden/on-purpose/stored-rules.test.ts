import { describe, expect, test } from '@jest/globals';
import type { SidecarSet } from '@sidestep/core';
import type { ExpectedPod, ExpectedWrite } from '../golden-case.js';
import { judge } from '../judge.js';
import { answeredAs, aPod, aSet, recordedCase, verdictOf } from '../testing/recorded-case.js';
import { ownStatus } from './own-status.js';

const NAME = 'kubernetes.io/metadata.name';
const CONVERSION = 'sidestep.dev/conversion';
const containers = [{ name: 'mesh', image: 'mesh:1' }];

/** As it is posted in v1alpha1, which has a field that the later version lacks. */
const anOldSet = (spec: SidecarSet['spec'] & { namespace?: string }): SidecarSet =>
  aSet('a', { containers, ...spec }, { apiVersion: 'apps.kruise.io/v1alpha1' });

const changedIn = (content: ReturnType<typeof recordedCase>, change: (answer: ExpectedWrite) => void) =>
  answeredAs(content, 0, change);

describe('v1alpha1 spec.namespace is given back', () => {
  const content = recordedCase(anOldSet({ namespace: 'prod' }));
  const theirs = (namespace: string) =>
    changedIn(content, ({ stored }) => {
      const { namespace: _given, ...spec } = stored!.v1alpha1!.spec;
      stored!.v1alpha1!.spec = { ...spec, namespaceSelector: { matchLabels: { [NAME]: namespace } } };
    });
  const rules = ['v1alpha1 spec.namespace is given back'];

  test('where OpenKruise shows a selector', () => {
    expect(verdictOf(theirs('prod'))).toEqual({ left: [], rules });
  });

  test('but what v1beta1 says has to be the same', () => {
    const other = changedIn(theirs('prod'), ({ stored }) => {
      stored!.v1beta1!.spec.namespaceSelector = { matchLabels: { [NAME]: 'test' } };
    });
    expect(verdictOf(other).left).toEqual([expect.stringContaining('/stored/v1beta1/spec/namespaceSelector')]);
  });

  test('and nothing else of v1alpha1 may differ', () => {
    const other = changedIn(theirs('prod'), ({ stored }) =>
      Object.assign(stored!.v1alpha1!.spec, { revisionHistoryLimit: 3 }),
    );
    expect(verdictOf(other).left).toEqual(['step 1 (create): /stored/v1alpha1/spec/revisionHistoryLimit']);
  });
});

describe('conversion loses nothing', () => {
  const namespaceSelector = { matchLabels: { env: 'prod' } };
  const content = recordedCase(anOldSet({ namespace: 'prod', namespaceSelector }));
  const theirs = changedIn(content, ({ stored, controllerRevisions }) => {
    delete stored!.v1beta1!.metadata.annotations![CONVERSION];
    delete controllerRevisions![0]!.annotations![CONVERSION];
    const { namespace: _given, ...spec } = stored!.v1alpha1!.spec;
    stored!.v1alpha1!.spec = { ...spec, namespaceSelector: { matchLabels: { [NAME]: 'prod' } } };
  });

  test('of a namespaceSelector beside the namespace', () => {
    expect(verdictOf(theirs)).toEqual({
      left: [],
      rules: ['v1alpha1 spec.namespace is given back', 'conversion loses nothing'],
    });
  });

  test('but other annotations are compared', () => {
    const other = changedIn(theirs, ({ stored }) =>
      Object.assign(stored!.v1beta1!.metadata.annotations!, { owner: 'me' }),
    );
    expect(verdictOf(other).left).toEqual(['step 1 (create): /stored/v1beta1/metadata/annotations/owner']);
  });
});

describe('unknown fields of containers are kept', () => {
  const posted = aSet('a', {
    containers: [{ name: 'mesh', image: 'mesh:1', bogus: { a: 1 }, env: [{ name: 'A', odd: 1 }] }],
  });
  const content = recordedCase(posted, aPod('p'));
  const dropped = (container: Record<string, unknown>): void => {
    delete container.bogus;
    for (const variable of container.env as Record<string, unknown>[]) delete variable.odd;
  };
  const theirs = answeredAs(
    answeredAs(content, 0, ({ stored, controllerRevisions }: ExpectedWrite) => {
      const specs = [stored!.v1beta1!, stored!.v1alpha1!, controllerRevisions![0]!.data as SidecarSet].map(
        ({ spec }) => spec,
      );
      for (const spec of specs) dropped(spec.containers![0]!);
    }),
    1,
    ({ admission }: ExpectedPod) => dropped(admission!.response.patched!.spec.containers[0]!),
  );

  test('where OpenKruise drops them', () => {
    expect(verdictOf(theirs)).toEqual({ left: [], rules: ['unknown fields of containers are kept'] });
  });

  test('but a field that OpenKruise knows is not one of them', () => {
    const other = answeredAs(
      theirs,
      0,
      ({ stored }: ExpectedWrite) => void delete stored!.v1beta1!.spec.containers![0]!.env,
    );
    expect(verdictOf(other).left).toEqual(['step 1 (create): /stored/v1beta1/spec/containers/0(mesh)/env']);
  });
});

describe('fields of the pod that a client does not know survive', () => {
  const app = {
    name: 'app',
    image: 'app:1',
    lifecycle: { stopSignal: 'SIGUSR1' },
    restartPolicyRules: [{ action: 'Restart' }],
  };
  const content = recordedCase(aSet('a', { containers }), aPod('p', { containers: [app] }));
  const theirs = answeredAs(content, 1, ({ admission, pod, podRaw }: ExpectedPod) => {
    for (const { spec } of [admission!.response.patched!, pod!, podRaw!]) {
      spec.containers[1]!.lifecycle = {};
      delete spec.containers[1]!.restartPolicyRules;
      spec.containers[0]!.restartPolicyRules = app.restartPolicyRules;
    }
  });

  test('where OpenKruise drops them, or leaves them on another container', () => {
    expect(verdictOf(theirs)).toEqual({ left: [], rules: ['fields of the pod that a client does not know survive'] });
  });

  test.each(['image', 'lifecycle', 'resources'])('but a container without its %s is another', (field) => {
    const other = answeredAs(theirs, 1, ({ admission }: ExpectedPod) => {
      delete admission!.response.patched!.spec.containers[1]![field];
    });
    expect(verdictOf(other).left).not.toEqual([]);
  });

  test('and the sidecar has to be whole', () => {
    const other = answeredAs(theirs, 1, ({ admission }: ExpectedPod) => {
      admission!.response.patched!.spec.containers[0]!.stdin = true;
    });
    expect(verdictOf(other).left).toEqual(['step 2 (pod): /patched/spec/containers/0(mesh)/stdin']);
  });
});

describe('status says more', () => {
  const condition = (type: string, status: string, reason = 'AllPodsReady') => {
    return { type, status, reason, message: 'x', lastTransitionTime: '2026-11-22T13:00:00Z', observedGeneration: 1 };
  };
  const counters = { observedGeneration: 1, matchedPods: 2, updatedPods: 1, readyPods: 2 };
  const conditions = [
    condition('Ready', 'True'),
    condition('Progressing', 'True', 'ContainerStarting'),
    condition('Degraded', 'False', 'NoFailures'),
    condition('Paused', 'False', 'NotPaused'),
  ];
  const own = { conditions, upgradingPods: 1, failedPods: 0 };
  const left = (status: object, theirs: object = counters): number => {
    const comparison = { subject: 'x', expected: { status: theirs }, actual: { status } };
    return judge({ comparison, facts: { writes: [] } }, [ownStatus]).differences.length;
  };

  test('beside the counters, which have to be the same', () => {
    expect(left({ ...counters, ...own })).toBe(0);
    expect(left({ ...counters, ...own }, { ...counters, updatedPods: 2 })).toBe(1);
  });

  test.each([
    ['a condition is missing', { conditions: conditions.slice(1) }],
    ['Ready does not fit the counters', { conditions: [condition('Ready', 'False'), ...conditions.slice(1)] }],
    ['a reason is unknown', { conditions: [condition('Ready', 'True', 'Whatever'), ...conditions.slice(1)] }],
    ['a count is more than there are pods', { upgradingPods: 3 }],
    ['Degraded does not fit the failed pods', { failedPods: 1 }],
    ['a count is missing', { failedPods: undefined }],
    ['a field is nobody’s', { other: 1 }],
  ])('but not when %s', (_, wrong) => {
    expect(left({ ...counters, ...own, ...wrong })).toBeGreaterThan(0);
  });
});
