import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryLeaseApi } from '../../test/memory-lease-api.js';
import { ManualClock } from '../manual-clock.js';
import { LeaseElection } from './election.js';

interface Candidate {
  election: LeaseElection;
  epochs: number[];
  lost: string[];
  leaders: string[];
}

const candidate = (api: MemoryLeaseApi, clock: ManualClock, identity: string): Candidate => {
  const seen = { epochs: [] as number[], lost: [] as string[], leaders: [] as string[] };
  const election = new LeaseElection({
    api: api.asKubeApi(),
    namespace: 'kruise-system',
    name: 'planner',
    identity,
    clock,
    random: () => 0,
    onAcquired: (epoch) => seen.epochs.push(epoch),
    onLost: (reason) => seen.lost.push(reason),
    onLeader: (leader) => seen.leaders.push(leader),
  });
  election.start();
  return { election, ...seen };
};

const setUp = () => {
  const clock = new ManualClock();
  const api = new MemoryLeaseApi();
  return { clock, api, join: (identity: string) => candidate(api, clock, identity) };
};

describe('an election', () => {
  test('is won by the first; the second stands by and knows who leads', async () => {
    const { clock, join } = setUp();
    const a = join('a');
    await clock.advance(1);
    const b = join('b');
    await clock.advance(60_000);
    expect([a.election.isLeader, b.election.isLeader]).toEqual([true, false]);
    expect(a.epochs).toEqual([0]);
    expect(b.leaders).toEqual(['a']);
    expect(b.election.leader).toBe('a');
  });

  test('costs the holder one write per period and no reads', async () => {
    const { clock, api, join } = setUp();
    join('a');
    await clock.advance(1);
    api.calls = [];
    await clock.advance(20_000);
    expect(api.calls).toEqual(Array(10).fill('replace'));
  });

  test('leaves no timer behind that would keep a process from ending', async () => {
    const { clock, join } = setUp();
    const { election } = join('a');
    await clock.advance(1);
    await election.stop();
    expect(clock.pending).toBe(0);
  });

  test('passes on within the retry period when the holder stops, in a higher epoch', async () => {
    const { clock, join } = setUp();
    const a = join('a');
    await clock.advance(1);
    const b = join('b');
    await clock.advance(5000);
    await a.election.stop();
    await clock.advance(2000);
    expect(b.epochs).toEqual([1]);
    expect(a.lost).toEqual([]);
  });

  test('passes on when the holder disappears, once its lease has run out', async () => {
    const { clock, api, join } = setUp();
    api.object = {
      metadata: { name: 'planner', resourceVersion: '0' },
      spec: { holderIdentity: 'gone', leaseDurationSeconds: 15, leaseTransitions: 6 },
    };
    const b = join('b');
    await clock.advance(14_900);
    expect(b.epochs).toEqual([]);
    await clock.advance(2000);
    expect(b.epochs).toEqual([7]);
  });

  test.each(['failing', 'hanging'] as const)(
    'is lost at the renew deadline when the API server is %s',
    async (fault) => {
      const { clock, api, join } = setUp();
      const a = join('a');
      await clock.advance(1);
      api[fault] = true;
      await clock.advance(9900);
      expect(a.lost).toEqual([]);
      await clock.advance(2200);
      expect(a.lost).toEqual(['the lease could not be renewed for 10000 ms']);
      expect(a.election.isLeader).toBe(false);
    },
  );

  test('survives a fault shorter than the deadline', async () => {
    const { clock, api, join } = setUp();
    const a = join('a');
    await clock.advance(1);
    api.failing = true;
    await clock.advance(7000);
    api.failing = false;
    await clock.advance(30_000);
    expect([a.election.isLeader, a.epochs, a.lost]).toEqual([true, [0], []]);
  });

  test('is lost at once when somebody took the lease', async () => {
    const { clock, api, join } = setUp();
    const a = join('a');
    await clock.advance(1);
    api.object = {
      metadata: { name: 'planner', resourceVersion: 'x' },
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 15, leaseTransitions: 1 },
    };
    await clock.advance(4000);
    expect(a.lost).toEqual(['the lease is held by thief']);
  });

  test('is lost when somebody took the lease and gave it back meanwhile: the epoch is not ours any more', async () => {
    const { clock, api, join } = setUp();
    const a = join('a');
    await clock.advance(1);
    api.object = {
      metadata: { name: 'planner', resourceVersion: 'x' },
      spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 1 },
    };
    await clock.advance(6000);
    expect(a.lost).toEqual(['the lease was taken away']);
    expect(api.object?.spec).toMatchObject({ holderIdentity: '', leaseTransitions: 1 });
  });

  test('stops within its time although the API server hangs', async () => {
    const { clock, api, join } = setUp();
    const a = join('a');
    api.hanging = true;
    await clock.advance(3000);
    const stopped = a.election.stop();
    await clock.advance(4000);
    await expect(stopped).resolves.toBeUndefined();
  });

  test('needs a deadline shorter than the lease', () => {
    const options = { leaseDurationMs: 10_000, renewDeadlineMs: 10_000 };
    const nothing = () => undefined;
    const api = new MemoryLeaseApi().asKubeApi();
    expect(
      () =>
        new LeaseElection({
          api,
          namespace: 'n',
          name: 'l',
          identity: 'a',
          onAcquired: nothing,
          onLost: nothing,
          ...options,
        }),
    ).toThrow('must be shorter');
  });

  test('has at most one leader at any time, with rising epochs, whatever fails and whoever stops', async () => {
    const move = fc.record({
      fault: fc.constantFrom('none', 'failing', 'hanging'),
      stop: fc.option(fc.constantFrom(0, 1, 2)),
      ms: fc.integer({ min: 0, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 8 }), async (moves) => {
        const { clock, api, join } = setUp();
        const all = ['a', 'b', 'c'].map(join);
        for (const { fault, stop, ms } of moves) {
          api.failing = fault === 'failing';
          api.hanging = fault === 'hanging';
          if (stop !== null) void all[stop]?.election.stop();
          for (let passed = 0; passed < ms; passed += 500) {
            await clock.advance(500);
            expect(all.filter(({ election }) => election.isLeader).length).toBeLessThanOrEqual(1);
          }
        }
        const epochs = all.flatMap((one) => one.epochs);
        expect(new Set(epochs).size).toBe(epochs.length);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
