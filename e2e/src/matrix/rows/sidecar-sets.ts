import { everything } from '../acts/control-plane.js';
import { kubelet, lasts } from '../acts/node.js';
import { openKruiseWrites } from '../acts/open-kruise.js';
import { endOf, imageBecomes, isAlone, leave, PHASES, type Phase, podIs, reach, versionOf } from '../acts/phases.js';
import { set } from '../acts/sidecar-sets.js';
import { type Act, CANNOT_PULL, type Expectation, type MatrixRow } from '../row.js';

const inPhase = (phase: Phase): MatrixRow[] => {
  const row = (name: string, act: MatrixRow['act'], expect: Expectation, more: Partial<MatrixRow> = {}): MatrixRow => ({
    name: `SidecarSet ${name} while a pod is ${phase}`,
    given: { pods: 2 },
    act: [...reach(phase), ...act],
    expect,
    alone: isAlone(phase),
    ...more,
  });
  const release = leave(phase);
  const wanted = endOf(phase);
  const again = set.createdAgain(versionOf(phase));
  return [
    row('edited', [imageBecomes('v3'), ...release], { runs: 'v3' }),
    row('paused and resumed', [set.paused, ...release, lasts(3), set.resumed], wanted),
    row('rolled back', [imageBecomes('v1'), ...release], { runs: 'v1' }, { quick: phase === 'migrated' }),
    row('deleted', [set.deleted, ...release, lasts(3)], { serves: true }),
    row('deleted and recreated', [set.deleted, lasts(1), again, ...release], wanted),
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

/** OpenKruise, which takes nothing back, waits for ever where a pod failed. */
const openKruiseEnds: Record<Phase, Act[]> = {
  upgrading: [openKruiseWrites('reset')],
  migrated: [openKruiseWrites('reset')],
  resetting: [],
  failed: [lasts(3)],
};

const handedBack = PHASES.map(
  (phase): MatrixRow => ({
    name: `handed to OpenKruise while a pod is ${phase}, and taken back`,
    act: [...reach(phase), everything.killed, ...leave(phase), ...openKruiseEnds[phase], everything.start],
    expect: endOf(phase),
    alone: true,
  }),
);

/** What is done to SidecarSets, and what another controller left. */
export const sidecarSetRows: readonly MatrixRow[] = [...PHASES.flatMap(inPhase), ...twoSets, ...adopted, ...handedBack];
