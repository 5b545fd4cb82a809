import { ask } from '../../platform/ask.js';
import type { Platform } from '../../platform/platform.js';
import { until } from '../../platform/service.js';
import { SET_NAME } from '../../world/scenario.js';
import type { World } from '../../world/world.js';
import { flushIfFilled, generationOf, jobsIn } from './queue-contents.js';
import { PATIENCE_MS, type Scene, type Strike } from './strike.js';

/** Somebody marks an empty queue anew only after having noticed that it lost what it held. */
const refilled = async (platform: Platform, before: string): Promise<{ kept: string[]; broken: string[] }> => {
  const isAnother = async () => {
    const now = await generationOf(platform).catch(() => '');
    return (now !== '' && now !== before) || undefined;
  };
  return until(isAnother, 'the loss to be noticed', PATIENCE_MS).then(
    () => ({ kept: ['the loss was noticed, and the jobs were asked for again'], broken: [] }),
    () => ({ kept: [], broken: ['nobody noticed that the queue had lost its jobs'] }),
  );
};

/** FLUSHALL, in the same step in which the jobs are counted. */
export const redisFlushed = async ({ world, begin }: Scene): Promise<Strike> => {
  const { platform } = world;
  const before = await generationOf(platform);
  await begin();
  const lost = await until(async () => (await flushIfFilled(platform)) || undefined, 'a phase job', PATIENCE_MS);
  return { did: `Redis emptied with ${lost} phase jobs in it`, aftermath: () => refilled(platform, before) };
};

const says = (world: World, reason: string): true | undefined =>
  world.set(SET_NAME).status?.conditions?.some((each) => each.type === 'Progressing' && each.reason === reason) ||
  undefined;

const CONNECTED = /^sidestep_queue_connected(?:\{[^}]*\})? (\d)/m;

const SILENT_MS = 5_000;

/** So long after Redis the queue is in use again at the latest. */
const BACK_MS = 5_000;

/** What the planner tells of its queue: `[readiness, metric]`. */
const plannerTells = async ({ services }: Platform): Promise<[number, string]> => {
  const url = String(services.get('planner')?.spec.readyUrl);
  const { body } = await ask(url.replace('/readyz', '/metrics'), SILENT_MS);
  return [(await ask(url, SILENT_MS)).status, CONNECTED.exec(body)?.[1] ?? ''];
};

const saysSo = async (world: World): Promise<string[]> => {
  const broken: string[] = [];
  const told = (probe: () => Promise<true | undefined>, what: string): Promise<unknown> =>
    until(probe, what, PATIENCE_MS).catch(() => broken.push(`${what}: it did not`));
  await told(async () => says(world, 'QueueUnavailable'), 'the SidecarSet to say that there is no queue');
  await told(async () => (await plannerTells(world.platform))[0] === 503 || undefined, 'the planner to be not ready');
  await told(async () => (await plannerTells(world.platform))[1] === '0' || undefined, 'the metric to be 0');
  return broken;
};

/** Killed with jobs in it, away until everybody who must say so has said so, and started again empty. */
export const redisRestarted = async ({ world, begin }: Scene): Promise<Strike> => {
  const { platform } = world;
  const before = await generationOf(platform);
  await begin();
  const lost = await until(async () => (await jobsIn(platform)) || undefined, 'a phase job', PATIENCE_MS);
  await platform.redis!.kill('SIGKILL');
  const silent = await saysSo(world);
  await platform.redis!.start();
  const since = Date.now();
  // Looked at from now on: when the rollout is over it would be too late to tell.
  const back = readyAfter(platform, since);
  return {
    did: `Redis killed with ${lost} phase jobs in it, and started again empty`,
    aftermath: async () => {
      const backMs = await back;
      if (backMs > BACK_MS) silent.push(`the planner was ready ${backMs} ms after Redis, ${BACK_MS} may be`);
      const { kept, broken } = await refilled(platform, before);
      const said = silent.length === 0 ? ['condition, readiness and metric said that there was no queue'] : [];
      const done = `the planner was ready ${backMs} ms after Redis, everything done ${Date.now() - since} ms after it`;
      return { kept: [...said, ...kept, done], broken: [...silent, ...broken] };
    },
  };
};

/** Milliseconds; as many as it was waited for when the planner did not become ready. */
const readyAfter = async (platform: Platform, since: number): Promise<number> => {
  const isBack = async () => {
    const [ready, connected] = await plannerTells(platform);
    return (ready === 200 && connected === '1') || undefined;
  };
  await until(isBack, 'the planner to be ready again', PATIENCE_MS).catch(() => undefined);
  return Date.now() - since;
};
