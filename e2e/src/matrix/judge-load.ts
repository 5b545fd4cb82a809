import type { Loss } from '@sidestep/testkit';
import type { Death } from '../platform/kubelet-log.js';
import type { LoadReport } from '../world/load.js';
import type { Allowance } from './row.js';

/** At the traffic's limit of 16 in flight, and as many again that a busy client wrote before it heard that the connection is gone. */
const MOST_KILLED_PER_DEATH = 32;
/** The same for a process that was stopped, whose clients wait for their time-out while more requests fall due. */
const MOST_STOPPED = 150;
const TOO_LITTLE_TRAFFIC = 30;

const KINDS: Record<Exclude<Allowance, 'killed'>, readonly string[]> = {
  stopped: ['timeout', 'reset', 'closed'],
  refused: ['refused', 'unreachable', 'reset', 'closed'],
};

const kindsOf = (allows: readonly Allowance[]): readonly string[] =>
  allows.flatMap((allowance) => (allowance === 'killed' ? [] : KINDS[allowance]));

/** The last ones, with when they were lost, and their connections begun, as seen from the nearest death in their pod. */
const examplesOf = (losses: readonly Loss[], deaths: readonly Death[]): string => {
  const told = losses.slice(-4).map((loss) => {
    const { kind, method, connection, detail, openedAtMs, atMs } = loss;
    const from = nearestDeath(loss, deaths);
    const since = (ms: number | undefined): string => (ms === undefined ? 'never' : `at ${Math.round(ms - from!)} ms`);
    const when = from === undefined ? '' : `, counted from a death begun ${since(openedAtMs)} and lost ${since(atMs)}`;
    return `${method} on ${connection} ${kind} (${detail.trim()}${when})`;
  });
  return told.join(', ');
};

const nearestDeath = ({ target, atMs }: Loss, deaths: readonly Death[]): number | undefined => {
  const times = deaths.filter(({ ip }) => target.startsWith(`${ip}:`)).map((death) => death.atMs);
  return times.sort((a, b) => Math.abs(a - atMs) - Math.abs(b - atMs))[0];
};

export interface Verdict {
  lost: number;
  allowed: number;
  problems: string[];
}

/** Holds what was lost against what the row allows. */
export const judgeLoad = (report: LoadReport, allows: readonly Allowance[], deaths: readonly Death[]): Verdict => {
  const problems: string[] = [];
  const unexplained = report.losses.filter(
    ({ kind, inKilledProcess }) => !inKilledProcess && !kindsOf(allows).includes(kind),
  );
  // The report keeps the first ten thousand losses one by one; what comes after them nothing explains.
  const allowed = report.losses.length - report.killedInFlight - unexplained.length;
  const lost = report.lost - allowed;
  if (lost > 0) problems.push(`${lost} requests were lost, such as ${examplesOf(unexplained, deaths)}`);
  if (!allows.includes('refused') && allowed > MOST_STOPPED)
    problems.push(`${allowed} is more than a stopped process can hold`);
  const deathsHere = deaths.filter(({ ip }) => report.losses.some(({ target }) => target.startsWith(`${ip}:`))).length;
  const mostKilled = allows.includes('killed') ? MOST_KILLED_PER_DEATH * deathsHere : 0;
  if (report.killedInFlight > mostKilled)
    problems.push(`${report.killedInFlight} requests died with a process, ${mostKilled} may`);
  if (report.requests < TOO_LITTLE_TRAFFIC) problems.push('too little traffic to say anything');
  return { lost, allowed, problems };
};
