import { kubelet, lasts, newSidecarIsAt, sidecar } from '../acts/node.js';
import { endOf, imageBecomes, isAlone, leave, PHASES, type Phase, podIs, reach } from '../acts/phases.js';
import * as pod from '../acts/pods.js';
import type { Act, Expectation, MatrixRow } from '../row.js';

const nodeRows: MatrixRow[] = [
  {
    name: 'kubelet slow: it stands still in the middle of an upgrade',
    act: [imageBecomes('v2'), podIs('upgrading'), kubelet.freezes, lasts(5), kubelet.thaws],
    expect: { runs: 'v2' },
    alone: true,
  },
  {
    name: 'kubelet slow: the pull of the new image takes 4 s',
    act: [kubelet.pullsSlowly('v2', 4), imageBecomes('v2')],
    expect: { runs: 'v2' },
    alone: true,
  },
  ...PHASES.map(
    (phase): MatrixRow => ({
      name: `node NotReady while a pod is ${phase}`,
      act: [...reach(phase), kubelet.losesNode, lasts(3), ...leave(phase), kubelet.thaws],
      expect: endOf(phase),
      alone: true,
    }),
  ),
];

const GAVE_UP: Expectation = { holds: 'TooManyFailures' };

const deletedRows = PHASES.flatMap((phase): MatrixRow[] => {
  const base = { given: { pods: 2 }, expect: endOf(phase), alone: isAlone(phase) };
  const act = [...reach(phase), pod.deleted, ...leave(phase), pod.gone];
  // A new pod gets the image of the day: with one that cannot be pulled it would never start.
  const mended: Partial<MatrixRow> =
    phase === 'failed' ? { act: [...act, imageBecomes('v3'), pod.replaced], expect: { runs: 'v3' } } : {};
  return [
    // A rollout that gave up stays so when the pod that failed is gone.
    { ...base, name: `pod deleted while it is ${phase}`, act, ...(phase === 'failed' ? { expect: GAVE_UP } : {}) },
    {
      ...base,
      name: `pod replaced under the same name while it is ${phase}`,
      act: [...act, pod.replaced],
      quick: phase === 'migrated',
      ...mended,
    },
  ];
});

/** While the new one has not got the sockets, nobody else has them. */
const whenHeld = (phase: Phase): Act[] => (phase === 'upgrading' ? [newSidecarIsAt('ready')] : []);

const oldCrashRows: MatrixRow[] = [
  {
    name: 'sidecar crashes while nothing is under way',
    act: [sidecar.workingCrashes, lasts(2), imageBecomes('v2')],
    expect: { runs: 'v2' },
    allows: ['killed'],
  },
  ...PHASES.map(
    (phase): MatrixRow => ({
      name: `old sidecar crashes while its pod is ${phase}`,
      act: [...reach(phase), ...whenHeld(phase), sidecar.oldCrashes, ...leave(phase)],
      expect: endOf(phase),
      allows: phase === 'failed' ? ['killed', 'refused'] : ['killed'],
      alone: isAlone(phase),
      quick: phase === 'migrated',
    }),
  ),
  {
    name: 'old sidecar crashes before the new one asks for its sockets',
    given: { hookSeconds: 10 },
    act: [imageBecomes('v2-hangs-before'), podIs('upgrading'), newSidecarIsAt('before'), sidecar.oldCrashes],
    expect: { aborts: ['DeadlineExceeded', 'PostStartHookFailed', 'CrashLoop'] },
    allows: ['killed', 'refused'],
  },
];

/** Node, kubelet, pods, and the old sidecar. */
export const podRows: readonly MatrixRow[] = [...nodeRows, ...deletedRows, ...oldCrashRows];
