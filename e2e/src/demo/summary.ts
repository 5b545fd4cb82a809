import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Pod } from '@sidestep/core';
import pc from 'picocolors';
import type { LoadReport } from '../world/load.js';
import { workingVersion } from '../world/pod-row.js';

const colors = pc.createColors(true);

/** What `--json` prints. Times in milliseconds. */
export interface Summary {
  ok: boolean;
  pods: number;
  upgraded: number;
  aborted: number;
  /** The fault of the run, and what it hit; empty without one. */
  fault: string;
  did: string;
  /** What was promised for the fault and seen to hold, and what did not. */
  kept: string[];
  broken: string[];
  /** What held the jobs: without any Redis to be had it is the memory of the planner. */
  queue: 'redis' | 'memory';
  /** Planners and workers that ended by themselves and were started again, as a Deployment does. */
  restarts: number;
  /** Requests per second during the rollout: what was asked for, or less where the machine cannot serve that many. */
  rate: number;
  requests: number;
  lost: number;
  lostByKind: Record<string, number>;
  /** The first of them, to find out why. */
  losses: LoadReport['losses'];
  /** Lost in a sidecar process that died; allowed only where the fault of the run is that death. Part of `lostByKind`, not of `lost`. */
  killedInFlight: number;
  /** How many were in flight in sidecars when they died: at most so many may be killed with them. */
  inFlightAtKills: number;
  rolloutMs: number;
  handoverMs: { p50: number; p99: number; max: number };
  /** Of the rollout: from the change of the image on. */
  maxGapMs: number;
  p99Ms: number;
  phases: Record<string, number>;
  versions: Record<string, number>;
}

interface SummaryInput {
  pods: readonly Pod[];
  target: string;
  aborted: number;
  fault: string;
  did: string;
  kept: string[];
  broken: string[];
  queue: 'redis' | 'memory';
  restarts: number;
  rate: number;
  /** The run's fault kills sidecars, and what was in them does not count. */
  sidecarDies: boolean;
  load: LoadReport;
  rolloutMs: number;
  handovers: readonly number[];
  phases: ReadonlyMap<string, ReadonlySet<string>>;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted.length === 0 ? 0 : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(file) : entry.name.endsWith('.log') ? [file] : [];
  });

/** Duration of every takeover, from connect to commit, as the agents logged it. */
export const handoversIn = (folder: string): number[] =>
  filesBelow(folder)
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/"how":"takeover".*?"handoverMs":([\d.]+)/g)])
    .map((match) => Number(match[1]))
    .sort((a, b) => a - b);

const tally = (values: Iterable<string>): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

export const summaryOf = (input: SummaryInput): Summary => {
  const versions = input.pods.map((pod) => workingVersion(pod, 'mesh'));
  const upgraded = versions.filter((version) => version === input.target).length;
  const { load, handovers } = input;
  const mayBeKilled = input.sidecarDies ? load.inFlightAtKills : 0;
  const nothingLost = load.lost === 0 && load.killedInFlight <= mayBeKilled;
  return {
    ok: upgraded === input.pods.length && nothingLost && input.broken.length === 0,
    pods: input.pods.length,
    upgraded,
    aborted: input.aborted,
    fault: input.fault,
    did: input.did,
    kept: input.kept,
    broken: input.broken,
    queue: input.queue,
    restarts: input.restarts,
    rate: input.rate,
    requests: load.requests,
    lost: load.lost,
    lostByKind: load.lostByKind,
    losses: load.losses.slice(0, 20),
    killedInFlight: load.killedInFlight,
    inFlightAtKills: load.inFlightAtKills,
    rolloutMs: input.rolloutMs,
    handoverMs: { p50: quantile(handovers, 0.5), p99: quantile(handovers, 0.99), max: handovers.at(-1) ?? 0 },
    maxGapMs: load.sinceMark.maxGapMs,
    p99Ms: load.sinceMark.latencyMs.p99,
    phases: tally([...input.phases.values()].flatMap((seen) => [...seen])),
    versions: tally(versions),
  };
};

/** The end of the demo for a person. */
export const summaryLines = (summary: Summary): string[] => {
  const verdict = summary.ok
    ? colors.green(`${summary.upgraded} of ${summary.pods} pods upgraded, nothing lost`)
    : colors.red(
        `${summary.upgraded} of ${summary.pods} pods upgraded, ${summary.lost + summary.killedInFlight} requests lost`,
      );
  return [
    '',
    colors.bold(verdict),
    `  requests     ${summary.requests} at ${summary.rate} a second, lost ${summary.lost}${summary.killedInFlight > 0 ? `, in flight in a killed process ${summary.killedInFlight}` : ''}`,
    `  rollout      ${(summary.rolloutMs / 1000).toFixed(1)} s${summary.aborted > 0 ? `, ${summary.aborted} pods aborted on the way` : ''}`,
    `  hand-over    median ${summary.handoverMs.p50.toFixed(1)} ms, p99 ${summary.handoverMs.p99.toFixed(1)} ms, longest ${summary.handoverMs.max.toFixed(1)} ms`,
    `  longest time without a served request  ${Math.round(summary.maxGapMs)} ms`,
    `  versions     ${Object.entries(summary.versions)
      .map(([version, count]) => `${version} × ${count}`)
      .join(', ')}`,
    ...(summary.did === '' ? [] : [`  fault        ${summary.fault}: ${summary.did}`]),
    ...summary.kept.map((what) => `  kept         ${what}`),
    ...summary.broken.map((what) => colors.red(`  broken       ${what}`)),
    ...(summary.lost > 0 ? [`  lost by kind ${JSON.stringify(summary.lostByKind)}`] : []),
  ];
};
