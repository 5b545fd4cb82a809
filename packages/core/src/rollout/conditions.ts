/** The SidecarSet's conditions: each with one documented reason and a sentence with numbers. */

import type { Reason } from '../api/reasons.js';
import type { Condition } from '../api/sidecarset.js';
import { toTimestamp } from '../pod-upgrade/annotations.js';
import { UNMANAGEABLE } from '../pod-upgrade/pod-reading.js';
import { HELD_ON_PURPOSE } from './begin-permit.js';
import { counted, countedWith } from './counted.js';
import type { RolloutFacts } from './rollout-facts.js';
import { LEFT_ALONE, type Tally } from './tally.js';
import { unwellText } from './unwell.js';

interface Verdict {
  status: 'True' | 'False';
  reason: Reason;
  message: string;
}

/** Ready, Progressing, Degraded, Paused. `lastTransitionTime` moves only when `status` does. */
export function conditionsOf(facts: RolloutFacts): Condition[] {
  const verdicts = {
    Ready: ready(facts),
    Progressing: progressing(facts),
    Degraded: degraded(facts),
    Paused: paused(facts),
  };
  return Object.entries(verdicts).map(([type, verdict]) => {
    const before = facts.before?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    const condition: Condition = {
      type,
      status: verdict.status,
      lastTransitionTime: lastTransitionTime ?? toTimestamp(facts.now),
      reason: verdict.reason,
      message: verdict.message,
    };
    const { generation } = facts.sidecarSet.metadata;
    if (generation !== undefined) condition.observedGeneration = generation;
    return condition;
  });
}

const yes = (reason: Reason, message: string): Verdict => ({ status: 'True', reason, message });
const no = (reason: Reason, message: string): Verdict => ({ status: 'False', reason, message });

function ready({ tally }: RolloutFacts): Verdict {
  if (tally.matched === 0) return yes('NoMatchingPods', 'no pod carries this SidecarSet');
  const message = `${tally.ready} of ${countedWith(tally.matched, 'pod', ['is', 'are'])} ready`;
  return tally.ready === tally.matched ? yes('AllPodsReady', message) : no('PodsNotReady', message);
}

function progressing(facts: RolloutFacts): Verdict {
  const { tally, hold, granted } = facts;
  const underWay = tally.inFlight + tally.leaving;
  const counts = `${tally.onTarget} of ${counted(tally.matched, 'pod')} updated, ${underWay} under way, ${tally.failedCount} failed${apartText(facts)}`;
  if (tally.matched + tally.apart.size === 0) return no('NoMatchingPods', 'no pod carries this SidecarSet');
  const waiting = tally.stale + underWay > 0;
  if (waiting && !facts.queueAvailable) return no('QueueUnavailable', `the job queue cannot be reached; ${counts}`);
  const moving = underWay - countStuck(facts) + granted;
  if (moving > 0) return yes(facts.rolledBack ? 'RollingBack' : 'RollingOut', counts);
  if (tally.stale === 0 && tally.good === tally.onTarget) return complete(facts, counts);
  if (hold !== undefined) return no(hold.reason, `${hold.message}; ${counts}`);
  const stop = findStop(facts);
  return no(stop, `${counts}; ${sentenceOf(stop, facts)}`);
}

function complete(facts: RolloutFacts, counts: string): Verdict {
  const { tally } = facts;
  if (tally.notUpgradable > 0)
    return no('NotUpgradablePods', `${counts}; ${tally.notUpgradable} cannot be upgraded in place`);
  const [apart] = tally.apart.values();
  // Pods that lack a container are what NotUpdate leaves behind on purpose.
  if (apart !== undefined && (apart.inFlight || facts.hold?.reason !== 'NotUpdateStrategy'))
    return no(apart.reason, counts);
  if (facts.rolledBack) return no('RolledBack', `${counts}; back on ${facts.before?.currentRevision}`);
  if (tally.onTarget === tally.matched) return no('RolloutComplete', counts);
  return no(facts.hold?.reason ?? 'PartitionReached', counts);
}

/** Pods that no count of matched pods has, by name: whoever looks for them finds them by nothing else. */
function apartText({ tally }: RolloutFacts): string {
  const pods = [...tally.apart.values()];
  if (pods.length === 0) return '';
  const shown = pods.slice(0, 3).map(({ key, inFlight, message }) => `${key}${inFlight ? '' : ` (${message})`}`);
  const names = `${shown.join(', ')}${pods.length > shown.length ? ', ...' : ''}`;
  const { leaving } = tally;
  if (leaving === pods.length) return `, ${leaving} of them not selected any more: ${names}`;
  const others = countedWith(pods.length - leaving, 'pod', ['cannot', 'cannot']);
  return `; ${others} be managed${leaving > 0 ? `, ${leaving} under way not selected any more` : ''}: ${names}`;
}

/** Why nothing moves although pods are to go and nothing holds all of them back. */
function findStop(facts: RolloutFacts): Reason {
  const { tally, candidates, partition, maxUnavailable, step, prePull } = facts;
  if (candidates > 0 && maxUnavailable <= 0) return 'MaxUnavailableZero';
  if (candidates > partition && tally.holding >= maxUnavailable) return findHolder(tally) ?? 'MaxUnavailableReached';
  if (candidates > 0 && tally.onTarget >= step.limit) return 'StepInProgress';
  if (candidates > partition && (prePull?.failed ?? 0) > 0) return 'PrePullFailed';
  // Pods that wait for something of their own are candidates later, beyond those that the partition keeps.
  if (candidates > 0 && tally.stale <= partition && tally.good === tally.onTarget) return 'PartitionReached';
  const isInTheWay = ([reason]: [Reason, number]): boolean =>
    reason !== 'AwaitingSelection' && !LEFT_ALONE.includes(reason);
  // What waits for a hand is told once nothing is left that goes on by itself.
  const rank = ([reason]: [Reason, number]): number => (UNMANAGEABLE.includes(reason) ? 1 : 0);
  const [mostFrequent] = [...tally.reasons].filter(isInTheWay).sort((a, b) => rank(a) - rank(b) || b[1] - a[1]);
  return mostFrequent?.[0] ?? (candidates > partition ? 'AwaitingSelection' : 'PodsNotReady');
}

/** What all slots of maxUnavailable are held by, where that is neither failed nor under way: a pod to look after, or time alone. */
function findHolder({ failed, inFlight, reasons }: Tally): Reason | undefined {
  if (failed.size > 0 || inFlight > 0) return undefined;
  return (['PodsNotReady', 'WaitingForReadyTime'] as const).find((reason) => reasons.has(reason));
}

function sentenceOf(stop: Reason, { tally, maxUnavailable, partition, candidates, prePull }: RolloutFacts): string {
  switch (stop) {
    case 'MaxUnavailableZero':
      return 'maxUnavailable is 0, so no ready pod can ever be begun';
    case 'MaxUnavailableReached':
      return `${countedWith(tally.holding, 'pod', ['is', 'are'])} unavailable and maxUnavailable is ${maxUnavailable}${beside(tally)}`;
    case 'PodsNotReady':
      return unwellText(tally) || countedWith(tally.stale, 'pod', ['waits', 'wait']);
    case 'StepInProgress':
      return `${countedWith(tally.stale, 'pod', ['waits', 'wait'])}${beside(tally)}`;
    case 'PrePullFailed':
      return `${counted(prePull?.failed ?? 0, 'node')} could not get the new image, so no pod there is begun${prePull?.cause === undefined ? '' : `: ${prePull.cause}`}`;
    case 'PartitionReached':
      return `partition keeps ${counted(Math.min(partition, candidates), 'pod')}`;
    default:
      return countedWith(tally.reasons.get(stop) ?? tally.stale, 'pod', ['waits', 'wait']);
  }
}

const beside = (tally: Tally): string => (tally.unwell.size === 0 ? '' : `; ${unwellText(tally)}`);

/** Pods half way that nothing will happen to, unless they are picked again. */
const countStuck = ({ tally }: RolloutFacts): number =>
  tally.allFailed().filter(({ inFlight, failed, due }) => inFlight && (failed || due !== 'abort')).length;

function degraded(facts: RolloutFacts): Verdict {
  const { tally, failures, rolledBack, latestRevision, before } = facts;
  const { hold } = failures;
  if (rolledBack) {
    const message = `${latestRevision} failed; pods run ${before?.currentRevision}`;
    return yes(tally.stale + tally.inFlight > 0 ? 'RollingBack' : 'RolledBack', message);
  }
  if (hold !== undefined) return yes(hold.reason, `${hold.message}${examples(facts)}`);
  if (tally.failedCount > 0)
    return yes('PodsFailed', `${counted(tally.failedCount, 'pod')} failed to upgrade${examples(facts)}`);
  return no('NoFailures', 'no pod failed to upgrade');
}

function examples({ tally }: RolloutFacts): string {
  const failed = tally.allFailed().slice(0, 3);
  if (failed.length === 0) return '';
  const more = tally.failedCount > failed.length ? ', ...' : '';
  return `: ${failed.map((summary) => `${summary.key}: ${summary.message}`).join('; ')}${more}`;
}

function paused({ hold }: RolloutFacts): Verdict {
  if (hold !== undefined && HELD_ON_PURPOSE.includes(hold.reason)) return yes(hold.reason, hold.message);
  return no('NotPaused', 'nothing holds the rollout back on purpose');
}
