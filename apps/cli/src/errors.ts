import { SidestepError } from '@sidestep/core';

/** Everything that this program itself refuses with. */
export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_UNREADABLE'
  | 'INPUT_INVALID'
  | 'SIDECARSET_INVALID'
  | 'NOT_FOUND'
  | 'NAME_AMBIGUOUS'
  | 'NOTHING_TO_DO'
  | 'PLANNER_BEHIND';

/** A command that cannot be carried out as it was given; says what was wrong, where, and in the hint what is allowed. */
export class CliError extends SidestepError {
  constructor(code: CliErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(code, message, options);
  }
}

/** What the process ends with; `kubectl sidestep --help` lists them. */
export const EXIT = { done: 0, no: 1, usage: 2, timeout: 3, cluster: 4, bug: 70 } as const;

type KnownCode =
  | CliErrorCode
  | 'INJECTION_REFUSED'
  | 'SIDECARSET_UNREADABLE'
  | 'CONVERSION_UNSUPPORTED'
  | 'QUANTITY_INVALID'
  | 'REGEXP_INVALID'
  | 'RESOURCE_EXPRESSION_INVALID'
  | 'REVISION_DATA_INVALID'
  | 'KUBE_CONFIG_INVALID'
  | 'KUBE_REQUEST_FAILED';

/** The exit code of an error; one without a known code is a bug of this program. */
export function exitCodeOf(error: unknown): number {
  const code = (error as { code?: unknown }).code as KnownCode;
  switch (code) {
    case 'INJECTION_REFUSED':
    case 'SIDECARSET_INVALID':
    case 'NOTHING_TO_DO':
      return EXIT.no;
    case 'USAGE':
    case 'INPUT_UNREADABLE':
    case 'INPUT_INVALID':
    case 'NOT_FOUND':
    case 'NAME_AMBIGUOUS':
    case 'SIDECARSET_UNREADABLE':
    case 'CONVERSION_UNSUPPORTED':
    case 'QUANTITY_INVALID':
    case 'REGEXP_INVALID':
    case 'RESOURCE_EXPRESSION_INVALID':
    case 'REVISION_DATA_INVALID':
    case 'KUBE_CONFIG_INVALID':
      return EXIT.usage;
    case 'PLANNER_BEHIND':
      return EXIT.timeout;
    case 'KUBE_REQUEST_FAILED':
      return EXIT.cluster;
    default:
      code satisfies never;
      return EXIT.bug;
  }
}

/** What is printed for an error: its sentence and what to do, or for a bug everything that helps to find it. */
export function describeError(error: unknown): string {
  if (exitCodeOf(error) === EXIT.bug) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `error: this is a bug in kubectl sidestep, please report it with the lines below\n${detail}\n`;
  }
  const { message, hint } = error as { message: string; hint?: string };
  return `error: ${message}\n${hint ? `hint: ${hint}\n` : ''}`;
}
