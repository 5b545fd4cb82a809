/**
 * Random histories of one pod: edits of the SidecarSet, a kubelet that acts and reports when it likes, crashes, time, and two
 * workers that may act on an old look. What must hold in all of them is checked at every write.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coldSet, hotSet, withImages } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { isHotUpgrade } from '../api/container-kinds.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import type { PodUpgradeDecision } from './types.js';
import { upgradeTarget } from './upgrade-target.js';

const twoHotOneCold: SidecarSet = {
  ...hotSet(),
  spec: {
    ...hotSet().spec,
    containers: [
      ...(hotSet().spec.containers ?? []),
      {
        name: 'dns',
        image: 'dns:v1',
        upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'dns:empty' },
      },
      ...(coldSet().spec.containers ?? []),
    ],
  },
};

type Step =
  | { do: 'edit'; tags: Record<string, string> }
  | { do: 'act' | 'report' | 'work' | 'remember' | 'forget' }
  | { do: 'crash'; container: string }
  | { do: 'wait'; seconds: number }
  | { do: 'pause'; paused: boolean }
  | { do: 'policy'; podAction: 'Abort' | 'Keep' }
  | { do: 'unready'; on: boolean };

const TAGS = ['v1', 'v2', 'v3', 'nopull', 'crash', 'hookfails', 'unready', 'slow', 'v2-alias'];
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('edit' as const),
        tags: fc.dictionary(fc.constantFrom('mesh', 'dns', 'log'), fc.constantFrom(...TAGS), { minKeys: 1 }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('act' as const, 'report' as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('work' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remember' as const, 'forget' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        container: fc.constantFrom('mesh-1', 'mesh-2', 'app'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 120 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), paused: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('policy' as const),
        podAction: fc.constantFrom('Abort' as const, 'Keep' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('unready' as const), on: fc.boolean() }) },
  ),
  { maxLength: 60 },
);

class Run {
  readonly pod: SimulatedPod;
  /** A pod that a slow worker read some time ago. */
  private remembered: Pod | undefined;
  private readonly highest = new Map<string, bigint>();
  private readonly versions = new Map<string, bigint>();
  private readonly hot: string[];

  constructor(set: SidecarSet) {
    this.pod = new SimulatedPod(set).wait(3600);
    this.hot = (set.spec.containers ?? []).filter(isHotUpgrade).map((container) => container.name);
    for (const sidecar of this.hot) {
      this.versions.set(`${sidecar}-1`, 1n);
      this.highest.set(sidecar, 1n);
    }
  }

  step(step: Step): void {
    const { pod } = this;
    switch (step.do) {
      case 'edit':
        pod.image(Object.fromEntries(Object.entries(step.tags).map(([name, tag]) => [name, `${name}:${tag}`])));
        break;
      case 'act':
        pod.act();
        break;
      case 'report':
        pod.report();
        break;
      case 'work':
        this.work(pod.look());
        break;
      case 'remember':
        this.remembered = pod.pod;
        break;
      case 'forget':
        this.workOnOldLook();
        break;
      case 'crash':
        if (pod.running(step.container) !== undefined) pod.crash(step.container);
        break;
      case 'wait':
        pod.wait(step.seconds);
        break;
      case 'pause':
        pod.strategy({ paused: step.paused });
        break;
      case 'policy':
        pod.strategy({ failurePolicy: { podAction: step.podAction } });
        break;
      case 'unready':
        if (step.on) pod.unready.add('app');
        else pod.unready.clear();
    }
  }

  /** A second worker that read the pod earlier: its write must be refused if anything was written since. */
  private workOnOldLook(): void {
    if (this.remembered === undefined) return;
    const target = upgradeTarget(this.pod.set);
    const { patch } = decidePodUpgrade({
      target,
      pod: this.remembered as Pod & { projected?: never },
      now: this.pod.clock,
    });
    if (patch === undefined) return;
    const lock = patch.find((operation) => operation.path === '/metadata/resourceVersion');
    expect(lock).toMatchObject({ op: 'replace', value: this.remembered.metadata.resourceVersion });
  }

  work(decision: PodUpgradeDecision): void {
    if (decision.patch === undefined) return;
    const before = this.pod.images();
    const serving = [...this.pod.owners].filter(([, owner]) => this.pod.isKnownReady(owner));
    this.pod.write(decision);
    this.checkWrite(before, serving, decision);
    this.checkVersions();
  }

  /**
   * No write may stop a container that serves well. (One that took the sockets and never got Ready, or fails since, may be
   * ended: its old one guards the sockets for that.)
   */
  private checkWrite(before: Record<string, string>, serving: [string, string][], decision: PodUpgradeDecision): void {
    const after = this.pod.images();
    for (const sidecar of this.hot) expect(after[this.pod.pointer(sidecar)]).not.toContain('empty');
    for (const [sidecar, owner] of serving) {
      if (before[owner] === after[owner]) continue;
      throw new Error(`${decision.due} (${decision.reason}) stopped ${owner}, which serves ${sidecar}`);
    }
  }

  /** Every version that is given out is higher than all before it on that pair, and the working container has the higher one. */
  private checkVersions(): void {
    for (const sidecar of this.hot) {
      for (const name of [`${sidecar}-1`, `${sidecar}-2`]) {
        const version = BigInt(this.pod.annotation(`${KRUISE.versionPrefix}${name}`) ?? 0);
        if (version !== 0n && version !== this.versions.get(name)) {
          expect(version).toBeGreaterThan(this.highest.get(sidecar) ?? 0n);
          this.highest.set(sidecar, version);
        }
        this.versions.set(name, version);
      }
      const pointer = this.pod.pointer(sidecar);
      const peer = pointer === `${sidecar}-1` ? `${sidecar}-2` : `${sidecar}-1`;
      expect(this.versions.get(pointer)).toBeGreaterThan(this.versions.get(peer) ?? 0n);
    }
  }
}

/** Faults stop, the user leaves the SidecarSet alone: the pod must come to rest by itself. */
function settle(run: Run): PodUpgradeDecision {
  const { pod } = run;
  pod.unready.clear();
  let decision = pod.look();
  for (let round = 0, quiet = 0; round < 60 && quiet < 3; round += 1) {
    pod.wait(2).kubelet();
    decision = pod.look();
    quiet = decision.due === 'none' && decision.state === 'Idle' && decision.retryAfterMs === undefined ? quiet + 1 : 0;
    if (decision.patch !== undefined) run.work(decision);
    else if (decision.reason === 'BackOffExpected') pod.now += decision.retryAfterMs ?? 0;
    else if (decision.retryAfterMs !== undefined) pod.now += decision.retryAfterMs;
    else pod.wait(400);
  }
  return decision;
}

describe.each([
  ['one hot sidecar', hotSet()],
  ['two hot sidecars and a plain one', twoHotOneCold],
])('%s', (_, set) => {
  test('never is a serving container stopped, never does a version go down, always does the pointer name a real container', () => {
    fc.assert(
      fc.property(steps, (each) => {
        const run = new Run(set);
        run.pod.strategy({ failurePolicy: {} });
        for (const step of each) run.step(step);
      }),
      { numRuns: 400 },
    );
  });

  test('once faults stop and a good image is wanted, the pod ends up to date with one container serving', () => {
    fc.assert(
      fc.property(steps, (each) => {
        const run = new Run(set);
        for (const step of each) run.step(step);
        run.pod
          .strategy({ paused: false })
          .edit((old) => withImages(old, { mesh: 'mesh:v9', dns: 'dns:v9', log: 'log:v9' }));
        expect(settle(run)).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
        expect(run.pod.running(run.pod.pointer('mesh'))).toBe('mesh:v9');
        expect(run.pod.owners.get('mesh')).toBe(run.pod.pointer('mesh'));
        expect(run.pod.isReady()).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each(['nopull', 'crash', 'hookfails'])(
    'image %s under a failure policy ends as failed, on the old container',
    (tag) => {
      const run = new Run(set);
      run.pod.strategy({ failurePolicy: {} }).image({ mesh: `mesh:${tag}` });
      expect(settle(run)).toMatchObject({ state: 'Idle', due: 'none', reason: 'FailedBefore' });
      expect(run.pod.running('mesh-1')).toBe('mesh:v1');
      expect(JSON.parse(run.pod.annotation(SIDESTEP.upgrade) ?? '{}')['mesh-set']).toMatchObject({ phase: 'Failed' });
    },
  );
});
