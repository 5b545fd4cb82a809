import type { Stage } from './stage.js';

/** One thing that happens in a row. */
export interface Act {
  /** Goes into the report: what was done. */
  says: string;
  run(stage: Stage): Promise<void>;
}

export const act = (says: string, run: (stage: Stage) => Promise<void>): Act => ({ says, run });

/** What the row starts from; every row has a namespace and a SidecarSet of its own. */
export interface Given {
  /** Default 1. */
  pods?: number;
  /** A second hot sidecar, of a second SidecarSet, in front of the first one. */
  edge?: boolean;
  /** The longest wait of the postStart hook. */
  hookSeconds?: number;
  /** `updateStrategy.progressDeadlineSeconds`; by default longer than an upgrade takes on any machine. */
  deadlineSeconds?: number;
  /** `updateStrategy.prePull`. */
  prePull?: boolean;
}

/**
 * How it must end. `runs`: every pod runs that version and nothing is under way. `aborts`: every begun pod went back to v1 for
 * one of these reasons, the SidecarSet says so and begins no more; a good image then completes. `holds`: no pod is begun, the
 * SidecarSet says this; a good image then completes. `serves`: nobody acts any more and every pod still answers.
 */
export type Expectation =
  | { runs: string; edge?: string }
  | { aborts: readonly string[]; edge?: string }
  | { holds: string }
  | { serves: true };

/** A kubelet that cannot pull goes from one to the other: its back-off for the container comes before its next try to pull. */
export const CANNOT_PULL: readonly string[] = ['ImagePullFailed', 'CrashLoop'];

/**
 * What may be lost. `killed`: requests that were in flight in a process that died. `stopped`: requests that a stopped (SIGSTOP)
 * process holds. `refused`: new connections, where no process holds the sockets and nothing promises otherwise.
 */
export type Allowance = 'killed' | 'stopped' | 'refused';

/** One row of the failure matrix. */
export interface MatrixRow {
  name: string;
  given?: Given;
  act: readonly Act[];
  expect: Expectation;
  allows?: readonly Allowance[];
  /** Disturbs what rows share, so no other row may run beside it. */
  alone?: boolean;
  /** Of a fault that only the simulated API server can have. */
  simulatedOnly?: boolean;
  /** Part of the quick subset. */
  quick?: boolean;
  /** Part of the quick subset in front of a real API server, with what a proxy there must be able to do. */
  quickOnReal?: boolean;
}

/** What came of a row, as it is reported. Times in milliseconds. */
export interface RowResult {
  [figure: string]: number | string | boolean;
  name: string;
  ok: boolean;
  /** Requests lost that the row does not allow. */
  lost: number;
  /** In flight in a process that died by itself. */
  killedInFlight: number;
  /** Lost, and allowed by the row: held by a stopped process, or refused while nothing could listen. */
  allowed: number;
  requests: number;
  /** From the last act until the pods were as they must be. */
  msUntilHealthy: number;
  /** Longest time in which one pod served nothing. */
  maxGapMs: number;
  /** The longest time in which the matrix itself got no turn; a row may be spoilt by it. */
  stoodStillMs: number;
  did: string;
  ended: string;
  /** Empty when the row is ok. */
  problem: string;
}
