import { readFileSync } from 'node:fs';
import type { RolloutSnapshot } from '../src/view/snapshot.js';

/** Objects of a cluster as they were at one moment of a real rollout of the demo. */
export function recordedSnapshot(name: 'rolling-out' | 'failed'): RolloutSnapshot & { at: Date } {
  const text = readFileSync(new URL(`../testdata/${name}.json`, import.meta.url), 'utf8');
  const { capturedAt, ...snapshot } = JSON.parse(text) as RolloutSnapshot & { capturedAt: string };
  return { ...snapshot, at: new Date(capturedAt) };
}
