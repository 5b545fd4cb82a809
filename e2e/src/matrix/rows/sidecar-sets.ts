import { everything } from '../acts/control-plane.js';
import { kubelet, lasts } from '../acts/node.js';
import { openKruiseWrites } from '../acts/open-kruise.js';
import { imageBecomes, isAlone, leave, PHASES, type Phase, podIs, reach, versionOf } from '../acts/phases.js';
import { set } from '../acts/sidecar-sets.js';
import { CANNOT_PULL, type MatrixRow } from '../row.js';

const inPhase = (phase: Phase): MatrixRow[] => {
  const row = (name: string, act: MatrixRow['act'], runs: string, more: Partial<MatrixRow> = {}): MatrixRow => ({
    name: `SidecarSet ${name} while a pod is ${phase}`,
    given: { pods: 2 },
    act: [...reach(phase), ...act],
    expect: { runs },
    alone: isAlone(phase),
    ...more,
  });
  const release = leave(phase);
  const wanted = versionOf(phase);
  return [
    row('edited', [imageBecomes('v3'), ...release], 'v3'),
    row('paused and resumed', [set.paused, ...release, lasts(3), set.resumed], wanted),
    row('rolled back', [imageBecomes('v1'), ...release], 'v1', { quick: phase === 'migrated' }),
    row('deleted', [set.deleted, ...release, lasts(3)], '', { expect: { serves: true } }),
    row('deleted and recreated', [set.deleted, lasts(1), set.createdAgain(wanted), ...release], wanted),
  ];
};

const two = { pods: 2, edge: true };

const twoSets: MatrixRow[] = [
  {
    name: 'two SidecarSets on one pod, upgraded at once',
    given: two,
    act: [imageBecomes('v2'), set.edgeImageBecomes('v3')],
    expect: { runs: 'v2', edge: 'v3' },
  },
  {
    name: 'two SidecarSets on one pod, one of which fails',
    given: two,
    act: [imageBecomes('absent'), set.edgeImageBecomes('v3')],
    expect: { aborts: CANNOT_PULL, edge: 'v3' },
  },
];

const adopted: MatrixRow[] = [
  {
    name: 'adopted from OpenKruise while a pod is upgrading',
    act: [
      everything.killed,
      imageBecomes('v2-slow'),
      openKruiseWrites('upgrade'),
      podIs('upgrading'),
      everything.start,
    ],
    expect: { runs: 'v2-slow' },
    alone: true,
  },
  {
    name: 'adopted from OpenKruise while a pod is migrated',
    act: [everything.killed, imageBecomes('v2'), openKruiseWrites('upgrade'), podIs('migrated'), everything.start],
    expect: { runs: 'v2' },
    alone: true,
    quick: true,
  },
  {
    name: 'adopted from OpenKruise while a pod is resetting',
    act: [
      everything.killed,
      imageBecomes('v2'),
      openKruiseWrites('upgrade'),
      podIs('migrated'),
      kubelet.freezes,
      openKruiseWrites('reset'),
      everything.start,
      kubelet.thaws,
    ],
    expect: { runs: 'v2' },
    alone: true,
  },
];

/** What is done to SidecarSets, and what another controller left. */
export const sidecarSetRows: readonly MatrixRow[] = [...PHASES.flatMap(inPhase), ...twoSets, ...adopted];
