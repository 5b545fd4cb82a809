import { beforeEach, describe, expect, test } from '@jest/globals';
import { KRUISE, type SidecarSet } from '@sidestep/core';
import { PhaseRunner } from './phase-runner.js';
import type { PhaseJobKeys } from './ports.js';
import { TargetSource } from './target-source.js';
import { imagesOf, MemoryCluster } from './testing/memory-cluster.js';
import { acknowledged, aPod, aSidecarSet, withImage } from './testing/objects.js';
import { hastyClock } from './testing/world.js';

const START = new Date('2026-01-01T00:00:00Z');
const now = new Date('2026-01-01T01:00:00Z');
const never = new AbortController().signal;

let cluster: MemoryCluster;
let events: string[];
let runner: PhaseRunner;
let v2: SidecarSet;

const run = (phase: PhaseJobKeys['phase']) =>
  runner.run(
    {
      namespace: 'shop',
      pod: 'web',
      uid: 'uid-of-web',
      sidecarSet: 'mesh-set',
      revision: v2.metadata.annotations?.[KRUISE.hash] ?? '',
      phase,
      attempt: 1,
    },
    never,
  );

/** From here on a read that need not be the newest shows the pods as they are now. */
const remember = (): void => {
  cluster.remembered = new Map(cluster.pods);
};

beforeEach(() => {
  const v1 = aSidecarSet('mesh:v1');
  v2 = withImage(v1, 'mesh:v2');
  cluster = new MemoryCluster();
  cluster.put(cluster.sidecarSets, v2);
  cluster.putPod(aPod('web', [v1], START));
  events = [];
  const clock = hastyClock(() => now);
  const port = {
    onPod: (_pod: unknown, { reason }: { reason: string }) => events.push(reason),
    onSidecarSet: () => undefined,
  };
  runner = new PhaseRunner({ cluster, targets: new TargetSource(() => cluster, clock), events: port, clock });
});

describe('a look at a pod as the API server remembers it', () => {
  test('is enough for a write: there is no other read', async () => {
    expect((await run('upgrade')).result).toBe('wrote');
    expect(cluster.reads).toEqual(['recent']);
  });

  test('that is old leads to no second write: the API server refuses it, and the pod is read as it is stored', async () => {
    remember();
    await run('upgrade');
    cluster.writes.length = 0;
    expect((await run('upgrade')).result).toBe('overtaken');
    expect(cluster.reads.slice(1)).toEqual(['recent', 'newest']);
    expect(cluster.writes).toEqual([]);
  });

  test('does not drop a job for a pod that it does not know yet', async () => {
    cluster.remembered = new Map();
    expect((await run('upgrade')).result).toBe('wrote');
  });

  test('does not put off a reset that has become due since', async () => {
    await run('upgrade');
    remember();
    cluster.putPod(acknowledged(cluster.pod('web'), now));
    expect((await run('reset')).result).toBe('wrote');
    expect(imagesOf(cluster.pod('web'))).toBe('mesh-1=empty:v1 mesh-2=mesh:v2 app=shop:1');
  });

  test('is not believed when it finds nothing to do, and tells nobody', async () => {
    await run('upgrade');
    cluster.putPod(acknowledged(cluster.pod('web'), now, ['mesh-2']));
    cluster.reads.length = 0;
    expect((await run('migration')).result).toBe('waiting');
    expect(cluster.reads).toEqual(['recent', 'newest']);
    expect(events).toEqual(['SidecarUpgradeFailed']);
  });

  test('costs no second read when the job is dropped for its SidecarSet', async () => {
    cluster.sidecarSets.clear();
    expect((await run('upgrade')).reason).toBe('Superseded');
    expect(cluster.reads).toEqual(['recent']);
  });
});
