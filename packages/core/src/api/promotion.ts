import type { SidecarSetStatus } from './sidecarset.js';

type Named = Pick<SidecarSetStatus, 'latestRevision' | 'stepsSince'>;

/**
 * What `sidestep.dev/promote` has to say: `<latestRevision>@<stepsSince>:<step>`, steps counted from 0, or `:all`. It names the
 * revision and the very time at which it began its steps, so that it is of no effect when that revision comes again, or its steps
 * are edited.
 *
 * @returns undefined while no planner has begun the steps
 */
export const promotionOf = ({ latestRevision, stepsSince }: Named, step: number | 'all'): string | undefined =>
  latestRevision === undefined || stepsSince === undefined ? undefined : `${latestRevision}@${stepsSince}:${step}`;

/** The highest step (from 0) that the annotation promotes of the steps under way: -1 for none, Infinity for all. */
export function promotedStep(annotation: string | undefined, status: Named): number {
  const prefix = promotionOf(status, 'all')?.slice(0, -'all'.length);
  if (prefix === undefined || annotation?.startsWith(prefix) !== true) return -1;
  const step = annotation.slice(prefix.length);
  if (step === 'all') return Number.POSITIVE_INFINITY;
  return /^[0-9]{1,4}$/.test(step) ? Number(step) : -1;
}
