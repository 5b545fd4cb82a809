import {
  applyJsonPatch,
  decidePodUpgrade,
  KRUISE,
  type Pod,
  SIDESTEP,
  type UpgradePhase,
  upgradeTarget,
} from '@sidestep/core';
import type { TraceCase } from './golden-case.js';
import type { Judgeable } from './judge.js';
import { hashOf, isControllerWrite, TraceWorld } from './trace-world.js';

/** Traces count from zero; any day will do for the clock. */
const START = Date.parse('2026-11-22T13:00:00Z');

/**
 * Replays a trace: at each write of OpenKruise's controller to a pod, asks what we would write to that very pod, and pairs the
 * two pods that come of it. What Sidestep notes for itself is carried from write to write.
 */
export function runTraceCase(content: TraceCase): Judgeable[] {
  const world = new TraceWorld(content);
  const notes = new Map<string, string>();
  const start = content.trace[0]?.t ?? 0;
  return content.trace.flatMap((entry) => {
    const pods = world.apply(entry);
    if (pods === undefined || !isControllerWrite(entry, pods.before)) return [];
    const { before, after } = pods as { before: Pod; after: Pod };
    const known = withNote(before, notes.get(entry.name ?? ''));
    const now = new Date(START + entry.t - start);
    const decision = decidePodUpgrade({ target: upgradeTarget(world.set), pod: known, now });
    const ours = applyJsonPatch(known, decision.patch ?? []);
    const note = ours.metadata.annotations?.[SIDESTEP.upgrade];
    if (note !== undefined) notes.set(entry.name ?? '', note);
    const comparison = {
      subject: `write to ${entry.name} at ${entry.t} ms`,
      expected: { due: phaseOf(before, after, content.sidecarSet.metadata.name ?? ''), ...written(after) },
      actual: { due: decision.due, ...written(ours) },
    };
    return [
      {
        comparison,
        facts: { sidecarSets: [world.set], write: { before, ours, set: world.set, reason: decision.reason } },
      },
    ];
  });
}

function withNote(pod: Pod, note: string | undefined): Pod {
  if (note === undefined) return pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [SIDESTEP.upgrade]: note } },
  };
}

/** OpenKruise has no name for it: a write that changes the hash is an upgrade, any other empties the old container. */
function phaseOf(before: Pod, after: Pod, set: string): UpgradePhase {
  return hashOf(before, set, KRUISE.hash) === hashOf(after, set, KRUISE.hash) ? 'reset' : 'upgrade';
}

function written({ metadata, spec }: Pod): { annotations: Record<string, string>; containers: unknown } {
  const { [SIDESTEP.upgrade]: _ours, ...annotations } = metadata.annotations ?? {};
  const timeless = Object.entries(annotations).map(([key, value]) => [
    key,
    value.replace(TIME, '"updateTimestamp":"<time>"'),
  ]);
  return { annotations: Object.fromEntries(timeless), containers: spec.containers };
}
const TIME = /"updateTimestamp":"[^"]+"/g;
