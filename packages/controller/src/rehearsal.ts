import { type ProjectedPod, RolloutLedger, type RolloutSubject, withHashes } from '@sidestep/core';

/** After so many pods Node has compiled what is run most. */
const ENOUGH_PODS = 1_500;
/** At a time: nothing else is done meanwhile. */
const PODS_AT_ONCE = 250;

/**
 * Runs the rules of an edit over pods that are there, and throws away what they say. Node compiles code while it runs, so without
 * this the first rollout after a start would begin a tenth of a second later than the next one.
 */
export class Rehearsal {
  private left = ENOUGH_PODS;

  /** Looks at a few pods, until enough were looked at since the start. Returns how many would have been asked for at once. */
  run(subject: RolloutSubject, pods: Iterable<ProjectedPod>, now: Date): number {
    if (this.left <= 0) return 0;
    try {
      const ledger = new RolloutLedger();
      ledger.setSubject(subject, now);
      let looks = 0;
      for (const pod of pods) {
        if (looks === Math.min(PODS_AT_ONCE, this.left)) break;
        ledger.applyPod(pod, now);
        looks += 1;
      }
      this.left -= looks;
      ledger.decide(now);
      ledger.setSubject(edited(subject), now);
      return ledger.decide(now).jobs.length;
    } catch {
      // What is wrong with these objects is told by the real look at them, which is to go on without this one.
      this.left = 0;
      return 0;
    }
  }
}

/** With another image everywhere, for all pods at once. */
const edited = (subject: RolloutSubject): RolloutSubject => {
  const { sidecarSet } = subject;
  const { containers = [], initContainers, ...spec } = sidecarSet.spec;
  const other = containers.map((container) => ({ ...container, image: `${container.image ?? ''}-rehearsed` }));
  return {
    ...subject,
    sidecarSet: withHashes({
      ...sidecarSet,
      metadata: { ...sidecarSet.metadata, generation: (sidecarSet.metadata.generation ?? 0) + 1 },
      spec: {
        ...spec,
        ...(initContainers === undefined ? {} : { initContainers }),
        containers: other,
        updateStrategy: { type: 'RollingUpdate', maxUnavailable: '100%' },
      },
    }),
  };
};
