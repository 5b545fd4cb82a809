import { planner } from '../acts/control-plane.js';
import { kubelet } from '../acts/node.js';
import { imageBecomes } from '../acts/phases.js';
import { setSays } from '../acts/sidecar-sets.js';
import { CANNOT_PULL, type MatrixRow } from '../row.js';

const failing = (
  name: string,
  version: string,
  aborts: readonly string[],
  more: Partial<MatrixRow> = {},
): MatrixRow => ({
  name: `new version ${name}`,
  given: { pods: 2 },
  act: [imageBecomes(version)],
  expect: { aborts },
  ...more,
});

const DIED = ['CrashLoop', 'PostStartHookFailed'];
const HUNG = ['PostStartHookFailed', 'DeadlineExceeded', 'CrashLoop'];
const IMPATIENT = { pods: 2, hookSeconds: 10 };
const PRE_PULLED = { pods: 2, prePull: true };

/** What a new version can do wrong. */
export const newVersionRows: readonly MatrixRow[] = [
  failing('cannot be pulled', 'absent', CANNOT_PULL),
  failing('crashes before it takes over', 'v2-crashes-before', DIED),
  failing('crashes while it takes over', 'v2-crashes-ready', DIED),
  failing('crashes after it took over', 'v2-crashes', DIED, { allows: ['killed'], quick: true }),
  failing('hangs before it takes over', 'v2-hangs-before', HUNG, { given: IMPATIENT }),
  failing('hangs while it takes over', 'v2-hangs', HUNG, { given: IMPATIENT }),
  failing('hangs after it took over', 'v2-hangs-after', HUNG, { given: IMPATIENT, allows: ['killed', 'stopped'] }),
  {
    name: 'new version pulled slowly, brought to the node first',
    given: PRE_PULLED,
    act: [kubelet.pullsSlowly('v3', 3), imageBecomes('v3')],
    expect: { runs: 'v3' },
    alone: true,
  },
  {
    name: 'new version cannot be pulled, brought to the node first: no pod is begun',
    given: PRE_PULLED,
    act: [imageBecomes('absent')],
    expect: { holds: 'PrePullFailed' },
    quick: true,
  },
  {
    name: 'planner killed while the new version is brought to the node',
    given: PRE_PULLED,
    act: [kubelet.pullsSlowly('v3', 6), imageBecomes('v3'), setSays('PrePulling'), planner.leaderKilled],
    expect: { runs: 'v3' },
    alone: true,
  },
  failing('is slower than its hook waits', 'v2-slower', HUNG, { given: IMPATIENT }),
  failing('is slower than its progress deadline', 'v2-slower', ['DeadlineExceeded'], {
    // The hook holds the kubelet up beyond the deadline; what is left of it counts against the next version.
    given: { pods: 2, hookSeconds: 50, deadlineSeconds: 40 },
  }),
];
