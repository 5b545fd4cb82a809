/** Replays what the real OpenKruise 1.9 wrote to pods during upgrades, and compares every write of ours with it. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { Container, ContainerStatus, Pod, PodCondition } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { applyJsonPatch } from '../injection/apply-json-patch.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import type { UpgradePhase } from './types.js';
import { upgradeTarget } from './upgrade-target.js';

interface Changed {
  annotations?: Record<string, string>;
  containers?: Container[];
  statuses?: (Omit<ContainerStatus, 'state'> & { state: string })[];
  conditions?: PodCondition[];
  phase?: string;
  spec?: SidecarSet['spec'];
  status?: SidecarSet['status'];
  generation?: number;
}

interface Step {
  t: number;
  kind: 'step' | 'pod' | 'sidecarset' | 'event';
  name: string;
  resourceVersion: string;
  writers: string[];
  changed: Changed;
}

const FOLDER = fileURLToPath(new URL('../../../../testdata/golden/open', import.meta.url));
const read = (name: string) =>
  JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8')) as { name: string; trace: Step[]; sidecarSet: SidecarSet };
const START = Date.parse('2026-11-22T13:00:00Z');

/** Traces up to the point (in ms) where OpenKruise does what Sidestep does better; the rest has tests of its own. */
const UNTIL: Record<string, number> = {
  'hot-trace-4-failed-then-rolled-back': 12_200,
  'hot-trace-5-empty-image-changed': 3_200,
};

const names = readdirSync(FOLDER)
  .filter((file) => /^(hot|cold)-trace-/.test(file))
  .map((file) => file.replace('.json', ''));

describe('the writes of OpenKruise 1.9 are ours to the byte', () => {
  test('there are traces to replay', () => {
    expect(names.length).toBeGreaterThanOrEqual(9);
  });
  test.each(names)('%s', (name) => {
    const writes = replay(name);
    expect(writes.length).toBeGreaterThan(name.includes('trace-5') ? -1 : 0);
    for (const { ours, theirs } of writes) expect(ours).toEqual(theirs);
  });
});

interface Write {
  ours: unknown;
  theirs: unknown;
}

function replay(name: string): Write[] {
  const { trace, sidecarSet } = read(name);
  const set: SidecarSet = structuredClone(sidecarSet);
  const isSetRecorded = trace.some((step) => step.kind === 'sidecarset');
  const pods = new Map<string, Pod>();
  const writes: Write[] = [];
  for (const step of trace) {
    if (step.t > (UNTIL[name] ?? Number.POSITIVE_INFINITY)) break;
    if (step.kind === 'sidecarset') applySet(set, step);
    if (step.kind !== 'pod') continue;
    const before = pods.get(step.name);
    const after = applyPod(before, step);
    if (before !== undefined && step.changed.annotations !== undefined) {
      if (!isSetRecorded) inferSet(set, after);
      writes.push(compare(set, before, after, step.t));
      // The record is ours alone: carried on, so that later steps are decided with it.
      after.metadata.annotations = { ...after.metadata.annotations, ...recordOf(writes.at(-1)?.ours) };
    }
    pods.set(step.name, after);
  }
  return writes;
}

/** One trace was recorded without the SidecarSet's events: it is what its pods are stamped with. */
function inferSet(set: SidecarSet, pod: Pod): void {
  const name = set.metadata.name ?? '';
  const entry = (key: string) => JSON.parse(pod.metadata.annotations?.[key] ?? '{}')[name];
  set.metadata.annotations = {
    [KRUISE.hash]: entry(KRUISE.hash).hash,
    [KRUISE.hashWithoutImage]: entry(KRUISE.hashWithoutImage).hash,
  };
  set.status = { matchedPods: 1, updatedPods: 0, readyPods: 1, latestRevision: entry(KRUISE.hash).controllerRevision };
  const images = new Map(pod.spec.containers.map((container) => [container.name, container.image]));
  set.spec.containers = (set.spec.containers ?? []).map((container) => ({
    ...container,
    image: images.get(container.name) ?? '',
  }));
}

function recordOf(ours: unknown): Record<string, string> {
  const record = (ours as { record?: string }).record;
  return record === undefined ? {} : { [SIDESTEP.upgrade]: record };
}

function compare(set: SidecarSet, before: Pod, after: Pod, t: number): Write {
  // Labels were not recorded, but OpenKruise writes to pods that the set selects.
  const pod = { ...before, metadata: { ...before.metadata, labels: set.spec.selector?.matchLabels ?? {} } };
  const decision = decidePodUpgrade({ target: upgradeTarget(set), pod, now: new Date(START + t) });
  const patched = applyJsonPatch(before, decision.patch ?? []);
  const ours = { ...facts(patched), due: decision.due };
  const theirs = { ...facts(after), due: phaseOf(before, after) };
  Object.defineProperty(ours, 'record', { value: patched.metadata.annotations?.[SIDESTEP.upgrade], enumerable: false });
  return { ours, theirs };
}

/** Which phase OpenKruise's write was: a changed hash is an upgrade, else it emptied the old container. */
function phaseOf(before: Pod, after: Pod): UpgradePhase {
  return before.metadata.annotations?.[KRUISE.hash] === after.metadata.annotations?.[KRUISE.hash] ? 'reset' : 'upgrade';
}

function facts(pod: Pod) {
  const annotations = { ...pod.metadata.annotations };
  delete annotations[SIDESTEP.upgrade];
  for (const [key, value] of Object.entries(annotations)) {
    annotations[key] = value.replace(/"updateTimestamp":"[^"]+"/g, '"updateTimestamp":"T"');
  }
  return { annotations, containers: pod.spec.containers };
}

function applySet(set: SidecarSet, { resourceVersion, changed }: Step): void {
  set.metadata.resourceVersion = resourceVersion;
  if (changed.annotations !== undefined) set.metadata.annotations = changed.annotations;
  if (changed.generation !== undefined) set.metadata.generation = changed.generation;
  if (changed.spec !== undefined) set.spec = changed.spec;
  // A status write alone moves the resourceVersion, too; OpenKruise still wrote that of the spec it had read.
  if (changed.status !== undefined) {
    set.status = changed.status;
    set.metadata.resourceVersion = specVersions.get(set) ?? resourceVersion;
  } else specVersions.set(set, resourceVersion);
}

const specVersions = new WeakMap<SidecarSet, string>();

function applyPod(before: Pod | undefined, { name, resourceVersion, changed }: Step): Pod {
  const pod: Pod = structuredClone(
    before ?? { metadata: { name, namespace: 'trace', uid: name }, spec: { containers: [] } },
  );
  pod.metadata.resourceVersion = resourceVersion;
  if (changed.annotations !== undefined) pod.metadata.annotations = { ...changed.annotations };
  if (changed.containers !== undefined) pod.spec.containers = changed.containers;
  pod.status = { ...pod.status };
  if (changed.phase !== undefined) pod.status.phase = changed.phase;
  if (changed.conditions !== undefined) pod.status.conditions = changed.conditions;
  if (changed.statuses !== undefined) pod.status.containerStatuses = changed.statuses.map(withState);
  return pod;
}

/** The recording fake kubelet gives no container ids, and its restartCount rises as soon as a change is seen. */
function withState({ state, ...status }: NonNullable<Changed['statuses']>[number]): ContainerStatus {
  return { ...status, name: status.name as string, state: { [state]: {} } };
}
