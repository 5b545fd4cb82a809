// What goes wrong between Sidestep and the API server.
import type { FaultEffect, FaultRule } from '@sidestep/testkit';
import { type Act, act } from '../row.js';
import type { Stage } from '../stage.js';
import { podWrites } from './phases.js';

const addRule = async (stage: Stage, rule: FaultRule): Promise<void> => {
  const { faults } = stage.world.platform;
  const id = await faults.add(rule);
  stage.held.set('api', id);
  stage.atEnd(() => faults.remove(id));
};

const SIDESTEP = 'sidestep-upgrade-worker';

export const apiServer = {
  /** For each write of a pod, so many times. */
  failsPodWrites: (says: string, effect: FaultEffect, count: number): Act =>
    act(`the next ${count} pod writes ${says}`, (stage) => addRule(stage, { match: podWrites(stage), count, effect })),
  /** Every second request of planners and workers, of every kind, watches included. */
  failsEverySecond: (says: string, effect: FaultEffect): Act =>
    act(`every second request ${says}`, (stage) =>
      addRule(stage, { match: { userAgent: SIDESTEP }, probability: 0.5, effect }),
    ),
  losesPodEvents: act('no change of a pod reaches Sidestep', (stage) =>
    addRule(stage, {
      match: { namespace: stage.namespace, resource: 'pods', userAgent: SIDESTEP },
      effect: { kind: 'dropEvent' },
    }),
  ),
  disordersPodEvents: act('changes of pods reach Sidestep twice, and half of them 700 ms late', async (stage) => {
    const match = { namespace: stage.namespace, resource: 'pods', userAgent: SIDESTEP };
    const { faults } = stage.world.platform;
    const twice = await faults.add({ match, effect: { kind: 'duplicateEvent' } });
    stage.atEnd(() => faults.remove(twice));
    await addRule(stage, { match, probability: 0.5, effect: { kind: 'delayEvent', ms: 700 } });
  }),
  recovers: act('that ends', (stage) => stage.world.platform.faults.remove(stage.held.get('api')!)),
  cutsWatches: act('all watches are cut', (stage) => stage.world.platform.faults.cutWatches()),
  compacts: act('the history is compacted and all watches are cut: 410', async (stage) => {
    await stage.world.platform.faults.compact();
    await stage.world.platform.faults.cutWatches();
  }),
  freezes: act('the API server answers nobody', async (stage) => {
    stage.atEnd(() => stage.world.platform.faults.thaw());
    await stage.world.platform.faults.freeze();
  }),
  thaws: act('the API server answers again', (stage) => stage.world.platform.faults.thaw()),
};
