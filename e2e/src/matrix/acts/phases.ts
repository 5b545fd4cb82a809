// Reaching a phase of a pod and staying in it for as long as the row needs.
import { type Act, act, CANNOT_PULL, type Expectation } from '../row.js';
import type { Stage } from '../stage.js';
import { kubelet } from './node.js';

/** Phases in which something can happen to a pod. */
export const PHASES = ['upgrading', 'migrated', 'resetting', 'failed'] as const;
export type Phase = (typeof PHASES)[number];

/** The workers' writes of pods themselves, not of their status. */
export const podWrites = ({ namespace }: Stage) => ({
  verbs: ['patch'],
  resource: 'pods/',
  namespace,
  userAgent: 'sidestep-upgrade-worker',
});

export const podIs = (...states: string[]): Act =>
  act(`a pod is ${states.join(' or ')}`, async (stage) => {
    stage.subject = await stage.seePod(
      ({ name, state }) => (states.includes(state) ? name : undefined),
      `a pod to be ${states.join(' or ')}`,
    );
  });

export const podsRun = (version: string): Act =>
  act(`every pod runs ${version}`, async (stage) => {
    const done = async () => {
      await stage.replaceEnded();
      return stage.rows().every((row) => row.version === version && row.state === 'idle') || undefined;
    };
    await stage.until(done, `every pod to run ${version}`, 240_000);
  });

export const imageBecomes = (version: string): Act =>
  act(`the image becomes ${version}`, (stage) => stage.setImage(version));

/** The API server is too busy for any pod write of the row after the first `skip`. */
const holdPodWrites = (skip: number): Act =>
  act('the next pod write is held back by 429', async (stage) => {
    const effect = { kind: 'status', code: 429, retryAfterSeconds: 1 } as const;
    const { faults } = stage.world.platform;
    const id = await faults.add({ match: podWrites(stage), skip, effect });
    stage.held.set('pod writes', id);
    stage.atEnd(() => faults.remove(id));
  });

export const releasePodWrites: Act = act('pod writes go through again', async (stage) => {
  await stage.world.platform.faults.remove(stage.held.get('pod writes')!);
});

/** Begins an upgrade and stays in the phase, as long as `leave` is not run. */
export const reach = (phase: Phase): Act[] => {
  if (phase === 'upgrading') return [imageBecomes('v2-slow'), podIs('upgrading')];
  if (phase === 'failed') return [holdPodWrites(1), imageBecomes('absent'), podIs('failed')];
  const migrated = [holdPodWrites(1), imageBecomes('v2'), podIs('migrated')];
  return phase === 'migrated' ? migrated : [...migrated, kubelet.freezes, releasePodWrites, podIs('resetting')];
};

export const leave = (phase: Phase): Act[] => {
  if (phase === 'upgrading') return [];
  return phase === 'resetting' ? [kubelet.thaws] : [releasePodWrites];
};

const VERSIONS: Record<Phase, string> = { upgrading: 'v2-slow', migrated: 'v2', resetting: 'v2', failed: 'absent' };

/** What `reach` upgrades to. */
export const versionOf = (phase: Phase): string => VERSIONS[phase];

/** What the upgrade of `reach` leads to when nothing else happens. */
export const endOf = (phase: Phase): Expectation =>
  phase === 'failed' ? { aborts: CANNOT_PULL } : { runs: versionOf(phase) };

/** A frozen kubelet is everybody's. */
export const isAlone = (phase: Phase): boolean => phase === 'resetting';
