import { REASONS } from '@sidestep/core';
import { isObject } from '../compare.js';
import { isAccepted } from './answers.js';
import type { OnPurpose } from './rule.js';

type Fields = Record<string, unknown>;

/** Sidestep's own fields of a status, each with what it may hold beside OpenKruise's counters. */
const OWN: Record<string, (value: unknown, status: Fields) => boolean> = {
  conditions: areConditions,
  upgradingPods: isCount,
  failedPods: isCount,
  currentRevision: isName,
  failedRevision: isName,
  observedRetry: isName,
  currentStep: (value) => Number.isInteger(value),
  observedSteps: (value) => Array.isArray(value),
  stepsSince: isName,
  stepGoodSince: isName,
};

/** Those that are always told. */
const ALWAYS = ['conditions', 'upgradingPods', 'failedPods'];
const CONDITIONS = ['Ready', 'Progressing', 'Degraded', 'Paused'];

export const ownStatus: OnPurpose = {
  name: 'status says more',
  sentence: 'Conditions, counts of upgrading and failed pods and the last good revision are added to the status.',
  adjust: ({ expected, actual }) => {
    if (!isObject(expected) || !isObject(actual)) return undefined;
    if (!isAccepted(expected)) return withOwnStatus(expected, actual);
    const theirs = expected.stored as Fields | undefined;
    const ours = actual.stored;
    if (theirs === undefined || !isObject(ours)) return undefined;
    const stored = Object.entries(theirs).map(([version, set]) => [version, withOwnStatus(set, ours[version])]);
    return { ...expected, stored: Object.fromEntries(stored) };
  },
};

/** What a condition says in words is ours alone to choose; that it fits the counters, which are compared, is not. */
function withOwnStatus(expected: unknown, actual: unknown): unknown {
  if (!isObject(expected) || !isObject(actual)) return expected;
  const { status } = expected;
  const ours = actual.status;
  if (!isObject(status) || !isObject(ours)) return expected;
  if (!ALWAYS.every((key) => OWN[key]?.(ours[key], ours))) return expected;
  const added = Object.entries(ours).filter(([key, value]) => !(key in status) && OWN[key]?.(value, ours) === true);
  return { ...expected, status: { ...status, ...Object.fromEntries(added) } };
}

function isCount(value: unknown, { matchedPods }: Fields): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= Number(matchedPods);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function areConditions(value: unknown, status: Fields): boolean {
  if (!Array.isArray(value) || !value.every(isObject)) return false;
  const held = new Map((value as Fields[]).map((condition) => [condition.type, condition]));
  const isReady = status.readyPods === status.matchedPods;
  return (
    value.length === CONDITIONS.length &&
    CONDITIONS.every((type) => isCondition(held.get(type), status)) &&
    held.get('Ready')?.status === (isReady ? 'True' : 'False') &&
    held.get('Degraded')?.status === (Number(status.failedPods) > 0 ? 'True' : 'False')
  );
}

function isCondition(condition: Fields | undefined, status: Fields): boolean {
  if (condition === undefined) return false;
  const { reason, message, lastTransitionTime, observedGeneration } = condition;
  if (!['True', 'False', 'Unknown'].includes(String(condition.status))) return false;
  const isTime = typeof lastTransitionTime === 'string' && !Number.isNaN(Date.parse(lastTransitionTime));
  const isReason = typeof reason === 'string' && Object.hasOwn(REASONS, reason);
  return isReason && isName(message) && isTime && observedGeneration === status.observedGeneration;
}
