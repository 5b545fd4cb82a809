import { maxUnavailableOf } from '@sidestep/core';
import { PodHistory } from '../matrix/pod-history.js';
import { ordered } from '../platform/ordered.js';
import { replaceAllEnded } from '../platform/replace-ended.js';
import { until } from '../platform/service.js';
import { DEMO_SET, image, NAMESPACE, SET_NAME } from '../world/scenario.js';
import type { Fault } from './faults.js';
import { brokenPromises } from './promises.js';
import { abortedPods, begunPods, everyPodRuns, rolloutStopped, type Stage, stopOf, viewOf } from './stage.js';
import type { Strike } from './strikes/strike.js';

/** The container that serves first in a new pod. */
const FIRST_WORKING = 'mesh-1';
const DEADLINE_MS = 300_000;

/** What came of a rollout, with or without a fault in it. */
export interface Outcome {
  /** The version that every pod runs at the end. */
  target: string;
  aborted: number;
  /** What the fault hit; empty without one. */
  did: string;
  /** What was promised for the fault and seen to hold, and what did not. */
  kept: string[];
  broken: string[];
}

const budgetOf = ({ options }: Stage): number =>
  maxUnavailableOf({ maxUnavailable: options.maxUnavailable }, options.pods);

const revive = async (stage: Stage): Promise<void> => {
  for (const name of await replaceAllEnded(stage.world.platform)) {
    stage.restarts += 1;
    stage.notes.push(`${name} had ended and was started again`);
  }
};

const setImage = (stage: Stage, version: string): Promise<unknown> =>
  ordered(
    () => stage.world.setImage(SET_NAME, image(version)),
    () => revive(stage),
  );

const runs = (stage: Stage, version: string): Promise<true> =>
  until(
    async () => {
      await revive(stage);
      const done = everyPodRuns(stage, version);
      const stop = done ? undefined : stopOf(stage, version);
      if (stop !== undefined) throw new Error(`the rollout to ${version} stopped: ${stop}`);
      return done;
    },
    `every pod to run ${version}`,
    DEADLINE_MS,
  );

/** A rollout that did not come to its end is a broken promise, and what was counted until then is told all the same. */
const notCompleted = (stage: Stage, fault: Fault | undefined, error: unknown): Outcome => ({
  target: fault?.aborts ? 'v3' : (fault?.image ?? 'v2'),
  aborted: abortedPods(stage).length,
  did: '',
  kept: [],
  broken: [error instanceof Error ? error.message : String(error)],
});

const halfWay = (stage: Stage): string[] =>
  viewOf(stage)
    .pods.filter(({ state }) => state !== 'idle' && state !== 'starting')
    .map(({ name }) => name);

/** Changes the image, lets the fault happen, and waits for what must come of it. */
export const rollOut = async (stage: Stage, fault: Fault | undefined): Promise<Outcome> => {
  const history = new PodHistory(DEMO_SET.container, budgetOf(stage));
  const end = stage.world.watchPods(NAMESPACE, history);
  if (fault) stage.notes.push(`fault: ${stage.options.fail} — promised: ${fault.promise}`);
  try {
    const outcome = await (fault?.aborts ? failing(stage, fault) : completing(stage, fault)).catch((error: unknown) =>
      notCompleted(stage, fault, error),
    );
    outcome.broken.push(...history.breaches);
    if (fault)
      stage.notes.push(
        outcome.broken.length === 0 ? `kept: ${outcome.kept.join('; ')}` : `broken: ${outcome.broken.join('; ')}`,
      );
    return outcome;
  } finally {
    end();
  }
};

const completing = async (stage: Stage, fault: Fault | undefined): Promise<Outcome> => {
  const target = fault?.image ?? 'v2';
  let strike: Strike | undefined;
  if (fault?.strike) {
    const begin = () => stage.world.setImage(SET_NAME, image(target));
    strike = await fault.strike({ world: stage.world, begin, halfWay: () => halfWay(stage) });
  } else await setImage(stage, target);
  if (strike) stage.notes.push(strike.did);
  await runs(stage, target);
  const { kept, broken } = (await strike?.aftermath()) ?? { kept: [], broken: [] };
  const missed = strike?.missed === undefined ? [] : [`the fault hit nothing: ${strike.missed}`];
  return {
    target,
    aborted: 0,
    did: strike?.did ?? '',
    kept: strike ? [...kept, `every pod runs ${target}`] : [],
    broken: [...missed, ...broken],
  };
};

const failing = async (stage: Stage, fault: Fault): Promise<Outcome> => {
  const { world, startedAt } = stage;
  await setImage(stage, fault.image);
  await until(
    async () => {
      await revive(stage);
      return rolloutStopped(stage);
    },
    'the rollout to abort its pods and stop',
    DEADLINE_MS,
  );
  const aborted = abortedPods(stage).length;
  const broken = brokenPromises({
    begun: begunPods(stage),
    aborted,
    allowed: budgetOf(stage),
    stopped: world.platform.kubeletLog.stopped(FIRST_WORKING, startedAt),
  });
  const kept =
    broken.length === 0
      ? [`${aborted} aborted, no other begun, every pod still served by the v1 that was never stopped`]
      : [];
  stage.notes.push('now a good image');
  await setImage(stage, 'v3');
  await runs(stage, 'v3');
  return { target: 'v3', aborted, did: `${aborted} pods were begun with ${fault.image}`, kept, broken };
};
