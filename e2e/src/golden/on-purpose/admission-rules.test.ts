import { describe, expect, test } from '@jest/globals';
import { type Container, decideRevisions, type SidecarContainer, type SidecarSet, withHashes } from '@sidestep/core';
import type { ExpectedPod, ExpectedWrite } from '../golden-case.js';
import { answeredAs, aPod, aSet, recordedCase, verdictOf } from '../testing/recorded-case.js';

/** What OpenKruise answered to the pod of a step, changed in each form in which it is recorded. */
function inPods(expected: ExpectedPod, change: (spec: { containers: Container[] }) => void): void {
  for (const pod of [expected.pod, expected.podRaw, expected.admission?.response.patched]) if (pod) change(pod.spec);
}

const mesh = (more: Partial<SidecarContainer> = {}): SidecarContainer => ({ name: 'mesh', image: 'mesh:1', ...more });
const refused = (message: string): ExpectedWrite => ({
  status: 500,
  message: `admission webhook "vsidecarset.kb.io" denied the request: ${message}`,
});

test('a recording of our own answers needs no rule but those for refusals', () => {
  const good = recordedCase(aSet('a', { containers: [mesh()] }), aPod('p'));
  expect(verdictOf(good)).toEqual({ left: [], rules: [] });
  expect(verdictOf(recordedCase(aSet('a', {})))).toEqual({ left: [], rules: ['refusals are 422'] });
});

describe('refusals are 422', () => {
  const content = recordedCase(aSet('a', {}));

  test('with the same message', () => {
    const other = answeredAs(content, 0, (answer: ExpectedWrite) =>
      Object.assign(answer, { message: `${answer.message}.` }),
    );
    expect(verdictOf(other).left).toEqual(['step 1 (create): /message']);
  });

  test('and from no other code', () => {
    const other = answeredAs(content, 0, (answer: ExpectedWrite) => Object.assign(answer, { status: 503 }));
    expect(verdictOf(other).left).toEqual(['step 1 (create): /status']);
  });
});

describe('IS_INJECTED is not repeated', () => {
  const own = { name: 'IS_INJECTED', value: 'false' };
  const content = recordedCase(aSet('a', { containers: [mesh({ env: [own] })] }), aPod('p'));
  const twice = (env: { name: string; value?: string }[]) =>
    answeredAs(content, 1, (answer: ExpectedPod) =>
      inPods(answer, ({ containers }) => Object.assign(containers[0]!, { env })),
    );

  test('in a sidecar that has one of its own', () => {
    expect(verdictOf(twice([own, { name: 'IS_INJECTED', value: 'true' }]))).toEqual({
      left: [],
      rules: ['IS_INJECTED is not repeated'],
    });
  });

  test('but the one that stays is that of the injector, and nothing else goes with it', () => {
    expect(verdictOf(twice([{ name: 'IS_INJECTED', value: 'true' }, own])).left).not.toEqual([]);
    expect(verdictOf(twice([own, { name: 'A' }, { name: 'IS_INJECTED', value: 'true' }])).left).not.toEqual([]);
  });

  test('and the app keeps its own', () => {
    const app = recordedCase(
      aSet('a', { containers: [mesh()] }),
      aPod('p', { containers: [{ name: 'app', env: [own, own] }] }),
    );
    const other = answeredAs(app, 1, (answer: ExpectedPod) =>
      inPods(answer, ({ containers }) => void containers[1]!.env!.pop()),
    );
    expect(verdictOf(app).left).toEqual([]);
    expect(verdictOf(other).left).not.toEqual([]);
  });
});

describe('SidecarSets apply in the order of their names', () => {
  const sets = ['a', 'b'].map((name) =>
    aSet(name, {
      containers: ['1', '2'].map((each) => mesh({ name: `${name}${each}`, volumeMounts: [{ name, mountPath: '/v' }] })),
      volumes: [{ name, emptyDir: {} }],
      imagePullSecrets: [{ name: `${name}-secret` }],
    }),
  );
  const content = recordedCase(...sets, aPod('p'));
  const moved = (list: 'containers' | 'volumes' | 'imagePullSecrets', order: number[]) =>
    answeredAs(content, 2, (answer: ExpectedPod) =>
      inPods(answer, (spec: Record<string, unknown>) => {
        const held = spec[list] as unknown[];
        spec[list] = order.map((index) => held[index]);
      }),
    );
  const rules = ['SidecarSets apply in the order of their names'];

  test.each([
    ['containers', [2, 3, 0, 1, 4]],
    ['volumes', [0, 2, 1]],
    ['imagePullSecrets', [1, 0]],
  ] as const)('in %s', (list, order) => {
    expect(verdictOf(moved(list, [...order]))).toEqual({ left: [], rules });
  });

  test.each([
    ['the containers of one set keep their order', 'containers', [1, 0, 2, 3, 4]],
    ['a sidecar keeps its side of the app', 'containers', [0, 1, 4, 2, 3]],
    ['what is the pod’s own stays where it is', 'volumes', [1, 0, 2]],
  ] as const)('but %s', (_, list, order) => {
    expect(verdictOf(moved(list, [...order])).left).not.toEqual([]);
  });

  test('an order that was recorded of the same request needs no rule', () => {
    const varied = answeredAs(moved('containers', [2, 3, 0, 1, 4]), 2, (answer: ExpectedPod) => {
      const volumes = ['kube-api-access-abcde', 'a', 'b'];
      const secrets = ['a-secret', 'b-secret'];
      answer.admission!.orders = [[['a1', 'a2', 'b1', 'b2', 'app'], [], volumes, secrets]];
    });
    expect(verdictOf(varied)).toEqual({ left: [], rules: [] });
  });
});

describe('policy Partial is stable per pod', () => {
  const pinned = (policy: string) => ({ revision: { customVersion: 'v1', policy } });
  const first = aSet('a', { customVersion: 'v1', containers: [mesh()] });
  const second = (policy: string, partition: number | string) =>
    aSet('a', {
      customVersion: 'v2',
      containers: [mesh({ image: 'mesh:2' })],
      injectionStrategy: pinned(policy),
      updateStrategy: { partition },
    });
  const podNamed = (name: string, partition: number | string = '50%', policy = 'Partial') =>
    recordedCase(first, second(policy, partition), aPod(name));
  const imageIn = (content: ReturnType<typeof podNamed>): string | undefined =>
    (content.steps[2]!.expected as ExpectedPod).pod?.spec.containers[0]?.image;
  const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const old = names.find((name) => imageIn(podNamed(name)) === 'mesh:1')!;
  const latest = names.find((name) => imageIn(podNamed(name)) === 'mesh:2')!;
  /** The pod of one name with OpenKruise's dice fallen as they would for a policy that throws none. */
  const fallen = (name: string, as: 'pinned' | 'latest') => {
    const content = podNamed(name);
    const certain = as === 'pinned' ? podNamed(name, 0, 'Always') : podNamed(name, 0);
    content.steps[2] = certain.steps[2]!;
    return content;
  };
  const rules = ['policy Partial is stable per pod'];

  test('whichever way the dice fell', () => {
    expect([old, latest].every((name) => name !== undefined)).toBe(true);
    expect(verdictOf(fallen(old, 'latest'))).toEqual({ left: [], rules });
    expect(verdictOf(fallen(latest, 'pinned'))).toEqual({ left: [], rules });
    expect(verdictOf(fallen(latest, 'latest'))).toEqual({ left: [], rules: [] });
  });

  test('but the pod has to be whole with the revision that it got', () => {
    const other = answeredAs(fallen(old, 'latest'), 2, (answer: ExpectedPod) =>
      inPods(answer, ({ containers }) => Object.assign(containers[0]!, { env: [] })),
    );
    expect(verdictOf(other).left).not.toEqual([]);
  });

  test.each([['0%'], ['100%'], [1]])('and with partition %p chance has no say', (partition) => {
    const content = podNamed(old, partition);
    const other = imageIn(content) === 'mesh:1' ? 'latest' : 'pinned';
    content.steps[2] = fallen(old, other).steps[2]!;
    expect(verdictOf(content).left).not.toEqual([]);
  });
});

describe('startupProbe has defaults', () => {
  const probe = (more: object) =>
    aSet('a', { containers: [mesh({ startupProbe: { httpGet: { port: 80 }, ...more } })] });
  const missing = [
    'spec.containers[0].startupProbe.successThreshold: Invalid value: 0: must be 1',
    'spec.containers[0].startupProbe.httpGet.path: Required value',
    'spec.containers[0].startupProbe.httpGet.scheme: Unsupported value: "": supported values: "HTTP", "HTTPS"',
  ];
  const rules = ['startupProbe has defaults'];
  const answered = (set: SidecarSet, ...errors: string[]) => {
    const content = recordedCase(set);
    content.steps[0]!.expected = refused(errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`) as never;
    return content;
  };

  test('so that what OpenKruise refuses for want of them is taken', () => {
    expect(verdictOf(answered(probe({}), ...missing))).toEqual({ left: [], rules });
    expect(verdictOf(answered(probe({}), missing[0]!))).toEqual({ left: [], rules });
  });

  test('and what else is wrong is still refused for that', () => {
    const image = 'spec.containers[0].image: Required value';
    const both = answered(
      aSet('a', { containers: [{ name: 'mesh', startupProbe: { httpGet: { port: 80 } } }] }),
      image,
      ...missing,
    );
    expect(verdictOf(both).left).toEqual([]);
    expect(verdictOf(answered(probe({}), image, ...missing)).left).not.toEqual([]);
  });

  test.each([
    'spec.containers[0].livenessProbe.successThreshold: Invalid value: 0: must be 1',
    'spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1',
    'spec.containers[0].startupProbe.httpGet.port: Required value',
  ])('but not: %s', (error) => {
    expect(verdictOf(answered(probe({}), error)).left).not.toEqual([]);
  });

  describe('also in what OpenKruise stored without them', () => {
    const posted = probe({ successThreshold: 1 });
    const whole = recordedCase(posted, aPod('p'));
    const before = (whole.steps[0]!.expected as ExpectedWrite).stored!.v1beta1!;
    const bare = structuredClone(before);
    bare.spec.containers![0]!.startupProbe = { ...(posted.spec.containers![0]!.startupProbe as object) };
    const hashed = withHashes(bare);
    const renamed = (text: string): string => {
      const keys = ['kruise.io/sidecarset-hash', 'kruise.io/sidecarset-hash-without-image'] as const;
      return keys.reduce(
        (held, key) => held.replaceAll(before.metadata.annotations![key]!, hashed.metadata.annotations![key]!),
        text,
      );
    };
    const asStored = JSON.parse(renamed(JSON.stringify(whole)), (key, value) =>
      key === 'startupProbe' ? bare.spec.containers![0]!.startupProbe : value,
    ) as typeof whole;
    const revision = (content: typeof whole) => (content.steps[0]!.expected as ExpectedWrite).controllerRevisions![0]!;
    const name = (set: SidecarSet): string =>
      decideRevisions({ set, existing: [], inUse: new Set(), namespace: 'x' }).latest.metadata.labels![
        'controller.kubernetes.io/hash'
      ]!;
    const recorded = JSON.parse(JSON.stringify(asStored).replaceAll(name(before), name(bare))) as typeof whole;

    test('its hashes, its revision and its pods', () => {
      expect(revision(recorded).name).not.toBe(revision(whole).name);
      expect(verdictOf(recorded)).toEqual({ left: [], rules });
    });

    test('but not with a hash that is not of that text', () => {
      const other = JSON.parse(
        JSON.stringify(recorded).replaceAll(hashed.metadata.annotations!['kruise.io/sidecarset-hash']!, 'x'),
      );
      expect(verdictOf(other).left).not.toEqual([]);
    });
  });
});

describe('conflicts between SidecarSets', () => {
  const a = aSet('a', { containers: [mesh()] });
  const labelled = (name: string, matchLabels: Record<string, string>) =>
    aSet(name, { selector: { matchLabels }, containers: [mesh()] });
  const conflict = refused('spec.containers: Invalid value: "mesh": container mesh already exist in a');

  test('are told exactly: none where no pod could match both', () => {
    const apart = recordedCase(a, labelled('b', { app: 'other' }));
    apart.steps[1]!.expected = conflict as never;
    expect(verdictOf(apart)).toEqual({ left: [], rules: ['selectors overlap exactly'] });
  });

  test('and one where some pod could', () => {
    const together = recordedCase(a, labelled('b', { tier: 'web' }));
    const taken = recordedCase(labelled('b', { tier: 'web' })).steps[0]!;
    together.steps[1]!.expected = taken.expected as never;
    expect(verdictOf(together)).toEqual({ left: [], rules: ['selectors overlap exactly', 'refusals are 422'] });
    const other = structuredClone(together);
    other.steps[1]!.expected = refused(
      'spec.containers: Invalid value: "mesh": container mesh already exist in c',
    ) as never;
    expect(verdictOf(other).left).not.toEqual([]);
  });

  test('include the names of hot pairs, and no other names', () => {
    const hot = mesh({ upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e:1' } });
    const content = recordedCase(aSet('a', { containers: [hot, mesh({ name: 'mesh-2' })] }));
    const free = recordedCase(aSet('a', { containers: [hot, mesh({ name: 'mesh-3' })] }));
    const taken = free.steps[0]!.expected;
    const rule = 'names of hot pairs are checked';
    content.steps[0]!.expected = taken as never;
    expect(verdictOf(content)).toEqual({ left: [], rules: [rule, 'refusals are 422'] });
    free.steps[0]!.expected = refused('spec.containers[1].name: Duplicate value: "mesh-3"') as never;
    expect(verdictOf(free).left).not.toEqual([]);
  });
});

describe('revisions of other SidecarSets are refused', () => {
  const [a, b] = ['a', 'b'].map((name) =>
    aSet(name, { selector: { matchLabels: { app: name } }, containers: [mesh({ name })] }),
  );
  const owned = recordedCase(a!, b!);
  const revision = (owned.steps[0]!.expected as ExpectedWrite).controllerRevisions![0]!.name;
  const pinning = (revisionName: string) => ({
    ...b!,
    spec: { ...b!.spec, injectionStrategy: { revision: { revisionName } } },
  });

  test('where OpenKruise takes one', () => {
    const content = recordedCase(a!, b!, pinning(revision));
    const taken = structuredClone(content.steps[1]!.expected as ExpectedWrite);
    content.steps[2]!.expected = { ...taken, status: 200 } as never;
    expect(verdictOf(content)).toEqual({
      left: [],
      rules: ['revisions of other SidecarSets are refused', 'refusals are 422'],
    });
  });

  test('but one of nobody is missing for both', () => {
    const content = recordedCase(a!, b!, pinning('nope'));
    expect(verdictOf(content)).toEqual({ left: [], rules: ['refusals are 422'] });
    const taken = content.steps[1]!.expected as ExpectedWrite;
    content.steps[2]!.expected = { ...taken, status: 200 } as never;
    expect(verdictOf(content).left).not.toEqual([]);
  });
});
