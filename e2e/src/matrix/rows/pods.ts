import { kubelet, lasts, sidecar } from '../acts/node.js';
import { imageBecomes, isAlone, leave, PHASES, podIs, reach, versionOf } from '../acts/phases.js';
import * as pod from '../acts/pods.js';
import type { MatrixRow } from '../row.js';

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
      expect: { runs: versionOf(phase) },
      alone: true,
    }),
  ),
];

const deletedRows = PHASES.flatMap((phase): MatrixRow[] => {
  const base = { given: { pods: 2 }, expect: { runs: versionOf(phase) }, alone: isAlone(phase) };
  const act = [...reach(phase), pod.deleted, ...leave(phase), pod.gone];
  return [
    { ...base, name: `pod deleted while it is ${phase}`, act },
    {
      ...base,
      name: `pod replaced under the same name while it is ${phase}`,
      act: [...act, pod.replaced],
      quick: phase === 'migrated',
    },
  ];
});

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
      act: [...reach(phase), lasts(1), sidecar.oldCrashes, ...leave(phase)],
      expect: { runs: versionOf(phase) },
      allows: ['killed'],
      alone: isAlone(phase),
      quick: phase === 'migrated',
    }),
  ),
  {
    name: 'old sidecar crashes before the new one asks for its sockets',
    given: { hookSeconds: 5 },
    act: [imageBecomes('v2-hangs-before'), podIs('upgrading'), lasts(1), sidecar.oldCrashes],
    expect: { aborts: ['DeadlineExceeded', 'PostStartHookFailed', 'CrashLoop'] },
    allows: ['killed', 'refused'],
  },
];

/** Node, kubelet, pods, and the old sidecar. */
export const podRows: readonly MatrixRow[] = [...nodeRows, ...deletedRows, ...oldCrashRows];
