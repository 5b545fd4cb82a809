import type { Loss } from '@sidestep/testkit';
import type { Death } from '../platform/kubelet-log.js';
import type { LoadReport } from '../world/load.js';
import type { Allowance } from './row.js';

/** What a killed process held is bounded by what can be in flight at 60 requests a second on some ten connections. */
const MOST_KILLED = 60;
/** The same for a process that was stopped, whose clients wait for their time-out while more requests fall due. */
const MOST_STOPPED = 150;
const TOO_LITTLE_TRAFFIC = 30;

const KINDS: Record<Exclude<Allowance, 'killed'>, readonly string[]> = {
  stopped: ['timeout', 'reset', 'closed'],
  refused: ['refused', 'unreachable', 'reset', 'closed'],
};

/** How many of the lost requests the row allows for. */
const allowedIn = (report: LoadReport, allows: readonly Allowance[]): number => {
  const kinds = allows.flatMap((allowance) => (allowance === 'killed' ? [] : KINDS[allowance]));
  return Math.min(report.lost, report.losses.filter(({ kind }) => kinds.includes(kind)).length);
};

/** The last ones, with how long after a process of their pod had died they were sent. */
const examplesOf = (losses: readonly Loss[], deaths: readonly Death[]): string => {
  const told = losses.slice(-4).map(({ target, kind, method, connection, detail, sentAtMs }) => {
    const died = deaths.filter(({ ip }) => target.startsWith(`${ip}:`)).map(({ atMs }) => (sentAtMs ?? 0) - atMs);
    const after = died.length === 0 ? '' : `, sent ${Math.round(Math.min(...died))} ms after a death`;
    return `${method} on ${connection} ${kind} (${detail.trim()}${after})`;
  });
  return told.join(', ');
};

export interface Verdict {
  lost: number;
  allowed: number;
  problems: string[];
}

/** Holds what was lost against what the row allows. */
export const judgeLoad = (report: LoadReport, allows: readonly Allowance[], deaths: readonly Death[]): Verdict => {
  const problems: string[] = [];
  const allowed = allowedIn(report, allows);
  const lost = report.lost - allowed;
  if (lost > 0) problems.push(`${lost} requests were lost, such as ${examplesOf(report.losses, deaths)}`);
  if (!allows.includes('refused') && allowed > MOST_STOPPED)
    problems.push(`${allowed} is more than a stopped process can hold`);
  const mostKilled = allows.includes('killed') ? MOST_KILLED : 0;
  if (report.killedInFlight > mostKilled)
    problems.push(`${report.killedInFlight} requests died with a process, ${mostKilled} may`);
  if (report.requests < TOO_LITTLE_TRAFFIC) problems.push('too little traffic to say anything');
  return { lost, allowed, problems };
};
