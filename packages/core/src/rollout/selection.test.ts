import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coldSet, storedSet, withImages, withStrategy } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import type { IntOrString, Pod } from '../api/kubernetes.js';
import type { SidecarSet, UpdateStrategy } from '../api/sidecarset.js';
import { countPicks, maxFailuresOf, maxUnavailableOf, partitionOf } from './budget.js';
import { decideRollout } from './decide-rollout.js';
import { RolloutLedger } from './rollout-ledger.js';

const NOW = new Date('2026-03-01T12:00:00Z');

const WANTED = storedSet(withImages(coldSet(), { log: 'log:v2' }), 5_000);

type Kind = 'old' | 'starting' | 'new';

/** One pod of each kind: on the old revision, begun, done. */
const PROTOTYPES = Object.fromEntries(
  (['old', 'starting', 'new'] as const).map((kind) => {
    const pod = new SimulatedPod(coldSet(), 'prototype').wait(3600);
    pod.set = WANTED;
    if (kind !== 'old') pod.run('upgrade');
    if (kind === 'new') pod.wait(2).kubelet();
    return [kind, pod.pod];
  }),
) as Record<Kind, Pod>;

const podOf = (kind: Kind, index: number): Pod => {
  const { metadata, ...rest } = PROTOTYPES[kind];
  return { ...rest, metadata: { ...metadata, name: `pod-${index}`, uid: `uid-${index}` } };
};

/** Pods of a cold set: the first `upgraded` carry the new revision, of those the first `good` are done. */
function pods(count: number, upgraded: number, good: number): { set: SidecarSet; pods: Pod[] } {
  const kindOf = (i: number): Kind => (i < good ? 'new' : i < upgraded ? 'starting' : 'old');
  return { set: WANTED, pods: Array.from({ length: count }, (_, i) => podOf(kindOf(i), i)) };
}

const picks = (set: SidecarSet, all: Pod[]): string[] =>
  decideRollout({ sidecarSet: set, revisions: [], latestRevision: 'r' }, all, NOW)
    .jobs.filter((job) => job.phase === 'upgrade')
    .map((job) => job.pod);

describe('how many pods are begun: the numeric cases of OpenKruise', () => {
  test.each<[string, UpdateStrategy, [number, number, number], number]>([
    ['maxUnavailable 10', { maxUnavailable: 10 }, [100, 30, 26], 6],
    ['maxUnavailable 10%', { maxUnavailable: '10%' }, [1000, 300, 260], 60],
    ['maxUnavailable 5%, all of them used', { maxUnavailable: '5%' }, [1000, 300, 250], 0],
    ['maxUnavailable 100, more than there are', { maxUnavailable: 100 }, [100, 30, 27], 70],
    ['partition 180', { maxUnavailable: 100, partition: 180 }, [1000, 800, 760], 20],
    ['partition 100', { maxUnavailable: 100, partition: 100 }, [1000, 800, 760], 60],
    ['partition 18%', { maxUnavailable: 100, partition: '18%' }, [1000, 800, 760], 20],
    ['partition 10%', { maxUnavailable: 100, partition: '10%' }, [1000, 800, 760], 60],
    ['maxUnavailable 5% of 5, rounded up', { maxUnavailable: '5%' }, [5, 0, 0], 1],
    ['partition 99% of 5 never keeps all', { maxUnavailable: 5, partition: '99%' }, [5, 0, 0], 1],
    ['partition 1% of 5 keeps one', { maxUnavailable: 5, partition: '1%' }, [5, 0, 0], 4],
  ])('%s', (_, strategy, [count, upgraded, good], expected) => {
    const { set, pods: all } = pods(count, upgraded, good);
    expect(picks(withStrategy(set, strategy), all)).toHaveLength(expected);
  });

  test('a selector chooses 30 of 1000', () => {
    const { set, pods: all } = pods(1000, 0, 0);
    for (const pod of all.slice(0, 30)) pod.metadata.labels = { app: 'shop', zone: 'a' };
    const strategy = { maxUnavailable: 100, selector: { matchLabels: { zone: 'a' } } };
    expect(picks(withStrategy(set, strategy), all)).toHaveLength(30);
  });

  test('pods that differ in more than images are none of 100', () => {
    const { pods: all } = pods(100, 0, 0);
    const spec = {
      ...coldSet().spec,
      containers: [{ name: 'log', image: 'log:v2', env: [{ name: 'A', value: '1' }] }],
    };
    const set = storedSet({ ...coldSet(), spec }, 5_000);
    expect(picks(withStrategy(set, { maxUnavailable: 100 }), all)).toHaveLength(0);
  });
});

describe('numbers and percentages', () => {
  test.each<[IntOrString | undefined, number, number]>([
    [undefined, 10, 0],
    [3, 10, 3],
    [30, 10, 10],
    ['30%', 10, 3],
    ['31%', 10, 4],
    ['99%', 10, 9],
    ['100%', 10, 10],
    ['99%', 1, 1],
    ['101%', 10, 10],
    ['nonsense', 10, 0],
  ])('partition %s of %i keeps %i', (partition, matched, kept) => {
    expect(partitionOf(partition === undefined ? {} : { partition }, matched)).toBe(kept);
  });
  test.each<[IntOrString | undefined, number, number]>([
    [undefined, 10, 1],
    [0, 10, 0],
    ['25%', 8, 2],
    ['26%', 8, 3],
    ['200%', 4, 8],
  ])('maxUnavailable %s of %i is %i', (maxUnavailable, matched, expected) => {
    expect(maxUnavailableOf(maxUnavailable === undefined ? {} : { maxUnavailable }, matched)).toBe(expected);
  });
  test('maxFailures is rounded down, and none is tolerated by default', () => {
    expect([maxFailuresOf(undefined, 10), maxFailuresOf('5%', 30), maxFailuresOf(3, 1)]).toEqual([0, 1, 3]);
  });
});

describe('the walk along the order', () => {
  const order = (text: string) => [...text].map((letter) => ({ podReady: letter === 'R' }));
  test.each([
    ['ready pods up to the budget', 'RRRR', 10, 0, 2, 2],
    ['pods that are not ready cost nothing', 'uuRR', 10, 0, 1, 3],
    ['and are taken even with a budget of 0', 'uuRR', 10, 0, 0, 2],
    ['but not beyond a ready one that has no room', 'RuRu', 10, 1, 1, 0],
    ['the limit holds for all', 'uuuu', 3, 0, 1, 3],
  ])('%s', (_, text, limit, used, maxUnavailable, expected) => {
    expect(countPicks(order(text), limit, used, maxUnavailable)).toBe(expected);
  });
});

describe('properties of picking', () => {
  const strategy = fc.record(
    {
      maxUnavailable: fc.oneof(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
      ),
      partition: fc.oneof(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
      ),
    },
    { requiredKeys: [] },
  );
  const mixture = fc.array(fc.constantFrom<Kind>('old', 'new', 'starting'), { maxLength: 12 });
  const build = (kinds: Kind[]) => ({ set: WANTED, all: kinds.map(podOf) });

  test('never are more pods unavailable than allowed, and never fewer than partition kept', () => {
    fc.assert(
      fc.property(mixture, strategy, (kinds, each) => {
        const { set, all } = build(kinds);
        const begun = picks(withStrategy(set, each), all).length;
        const starting = kinds.filter((kind) => kind === 'starting').length;
        const old = kinds.filter((kind) => kind === 'old').length;
        if (begun > 0) expect(begun + starting).toBeLessThanOrEqual(maxUnavailableOf(each, kinds.length));
        if (begun > 0) expect(old - begun).toBeGreaterThanOrEqual(partitionOf(each, kinds.length));
      }),
      { numRuns: 60 },
    );
  });

  test('the order in which pods become known does not matter', () => {
    fc.assert(
      fc.property(mixture, strategy, fc.integer(), (kinds, each, seed) => {
        const { set, all } = build(kinds);
        const shuffled = [...all].sort((a, b) => hash(`${a.metadata.name}${seed}`) - hash(`${b.metadata.name}${seed}`));
        expect(picks(withStrategy(set, each), shuffled)).toEqual(picks(withStrategy(set, each), all));
      }),
      { numRuns: 60 },
    );
  });

  test('another pod takes its place in the order and leaves the others in theirs', () => {
    fc.assert(
      fc.property(mixture, (kinds) => {
        const { set, all } = build([...kinds, 'old']);
        const everything = withStrategy(set, { maxUnavailable: '100%' });
        const extra = all.at(-1)?.metadata.name;
        expect(picks(everything, all).filter((name) => name !== extra)).toEqual(picks(everything, all.slice(0, -1)));
      }),
      { numRuns: 60 },
    );
  });

  test('a ledger whose SidecarSet was edited picks, in the same order, as one that only sees its last version', () => {
    const byRank = { orderPriority: [{ orderedKey: 'rank' }] };
    const thirdFirst = { weightPriority: [{ weight: 10, matchSelector: { matchLabels: { rank: '3' } } }] };
    const edit = fc.record({
      image: fc.constantFrom('log:v1', 'log:v2', 'log:v3'),
      each: strategy,
      priorityStrategy: fc.constantFrom({}, byRank, thirdFirst),
    });
    const subjectOf = ({ image, each, priorityStrategy }: typeof edit extends fc.Arbitrary<infer T> ? T : never) => {
      const sidecarSet = withStrategy(withImages(WANTED, { log: image }), { ...each, priorityStrategy });
      return { sidecarSet, revisions: [], latestRevision: 'r' };
    };
    fc.assert(
      fc.property(mixture, fc.array(edit, { minLength: 1, maxLength: 5 }), (kinds, edits) => {
        const all = kinds.map(podOf);
        for (const [i, { metadata }] of all.entries()) metadata.labels = { ...metadata.labels, rank: `${(i * 5) % 7}` };
        const ledger = new RolloutLedger();
        for (const [i, each] of edits.entries()) {
          ledger.setSubject(subjectOf(each), NOW);
          if (i === 0) for (const pod of all) ledger.applyPod(pod, NOW);
        }
        const fresh = decideRollout(subjectOf(edits.at(-1)!), all, NOW);
        expect(ledger.decide(NOW, { resync: true })).toMatchObject({ jobs: fresh.jobs, status: fresh.status });
      }),
      { numRuns: 60 },
    );
  });

  test('a ledger that saw pods come, change and go decides as one that only sees them as they are', () => {
    const change = fc.record({ pod: fc.nat(9), to: fc.constantFrom<Kind | 'gone'>('old', 'new', 'starting', 'gone') });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), strategy, (changes, each) => {
        const set = withStrategy(WANTED, each);
        const subject = { sidecarSet: set, revisions: [], latestRevision: 'r' };
        const ledger = new RolloutLedger();
        ledger.setSubject(subject, NOW);
        const now = new Map<string, Pod>();
        let version = 0;
        for (const { pod: index, to } of changes) {
          const name = `pod-${index}`;
          version += 1;
          if (to === 'gone') {
            now.delete(name);
            ledger.removePod(`shop/${name}`);
            continue;
          }
          const made = podOf(to, index);
          made.metadata.resourceVersion = `v${version}`;
          now.set(name, made);
          ledger.applyPod(made, NOW);
        }
        const { status, jobs } = ledger.decide(NOW, { resync: true });
        const fresh = decideRollout(subject, now.values(), NOW);
        expect(status).toEqual(fresh.status);
        expect(new Set(jobs.map((job) => job.pod))).toEqual(new Set(fresh.jobs.map((job) => job.pod)));
      }),
      { numRuns: 40 },
    );
  });
});

function hash(text: string): number {
  let value = 7;
  for (const character of text) value = (value * 31 + character.charCodeAt(0)) % 1_000_003;
  return value;
}
