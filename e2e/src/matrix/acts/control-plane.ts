// What happens to planners and workers.
import { leaderOf } from '../../platform/leading-planner.js';
import type { Service } from '../../platform/service.js';
import { type Act, act } from '../row.js';
import type { Stage } from '../stage.js';
import { podWrites } from './phases.js';

const servicesOf = (stage: Stage, prefix: 'planner' | 'worker'): Service[] =>
  [...stage.world.platform.services.values()].filter(({ spec }) => spec.name.startsWith(prefix));

const killAll = async (services: readonly Service[]): Promise<void> => {
  await Promise.all(services.map((service) => service.kill('SIGKILL')));
};

const startAll = async (services: readonly Service[]): Promise<void> => {
  await Promise.all(services.map((service) => service.start()));
};

const startDead = (services: readonly Service[]): Promise<void> =>
  startAll(services.filter((service) => !service.isAlive));

const PLANNER_DEADLINE_MS = 120_000;

const untilLed = (stage: Stage): Promise<Service> =>
  stage.until(
    () => leaderOf(stage.world.platform, stage.held.get('killed planner')),
    'a planner to lead',
    PLANNER_DEADLINE_MS,
  );

export const workers = {
  killed: act('all workers are killed with SIGKILL', async (stage) => {
    stage.atEnd(() => startDead(servicesOf(stage, 'worker')));
    await killAll(servicesOf(stage, 'worker'));
  }),
  start: act('they are started again', (stage) => startDead(servicesOf(stage, 'worker'))),
  /** The `nth` pod write of the row (from 1) reaches the API server, which never answers it. */
  writeUnanswered: (nth: number, when: 'before' | 'after'): Act =>
    act(`pod write ${nth} gets no answer, ${when} it is done`, async (stage) => {
      const { faults } = stage.world.platform;
      const effect = { kind: when === 'before' ? 'hang' : 'hangAfter' } as const;
      const id = await faults.add({ match: podWrites(stage), skip: nth - 1, count: 1, effect });
      stage.held.set('one pod write', id);
      stage.atEnd(() => faults.remove(id));
    }),
  write: act('the write is under way', async (stage) => {
    const id = stage.held.get('one pod write')!;
    const { faults } = stage.world.platform;
    await stage.until(async () => ((await faults.hits(id)) > 0 ? true : undefined), 'the pod write', 90_000);
  }),
  /** Out of breath for longer than a job may be silent: another worker takes the job over, and then the first one goes on. */
  stop: act('the worker is stopped (SIGSTOP)', async (stage) => {
    const [first] = servicesOf(stage, 'worker');
    stage.atEnd(async () => first?.signal('SIGCONT'));
    first?.signal('SIGSTOP');
  }),
  goOn: act('the stopped worker goes on', async (stage) => servicesOf(stage, 'worker')[0]?.signal('SIGCONT')),
};

export const planner = {
  leaderKilled: act('the leading planner is killed with SIGKILL', async (stage) => {
    const leader = await untilLed(stage);
    stage.atEnd(() => startDead(servicesOf(stage, 'planner')));
    stage.held.set('killed planner', leader.spec.name);
    await leader.kill('SIGKILL');
  }),
  start: act('it is started again', (stage) => startDead(servicesOf(stage, 'planner'))),
  leaderStopped: act('the leading planner is stopped (SIGSTOP)', async (stage) => {
    const leader = await untilLed(stage);
    stage.atEnd(async () => {
      leader.signal('SIGCONT');
      await startDead(servicesOf(stage, 'planner'));
    });
    stage.held.set('planner', leader.spec.name);
    leader.signal('SIGSTOP');
  }),
  secondLeads: act('another planner leads', async (stage) => {
    await untilLed(stage);
  }),
  goesOn: act('the stopped planner goes on, and ends itself', async (stage) => {
    const stopped = stage.world.platform.service(stage.held.get('planner')!);
    stopped.signal('SIGCONT');
    await stage.until(() => (stopped.isAlive ? undefined : true), 'the planner that lost its lease to end');
  }),
};

const startEnded = async (stage: Stage): Promise<void> => {
  stage.isControlPlaneAway = false;
  await stage.replaceEnded();
};

export const everything = {
  killed: act('all planners and workers are gone', async (stage) => {
    stage.isControlPlaneAway = true;
    stage.atEnd(() => startEnded(stage));
    await killAll([...servicesOf(stage, 'planner'), ...servicesOf(stage, 'worker')]);
  }),
  start: act('Sidestep starts', startEnded),
};
