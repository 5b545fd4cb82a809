// The words that journeys are written in: what is given, what happens, what must then be true. Everything runs for real.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KRUISE, type Pod, type SidecarContainer } from '@sidestep/core';
import { removeScratch } from '@sidestep/testkit';
import { Redis } from 'ioredis';
import { leaderOf } from '../platform/leading-planner.js';
import type { PlatformOptions } from '../platform/platform.js';
import { replaceEnded } from '../platform/replace-ended.js';
import { until } from '../platform/service.js';
import type { Load } from '../world/load.js';
import { podRow, workingVersion } from '../world/pod-row.js';
import { catalogueOf, image, type MeshSet, podOf, programsOf, sidecarSetOf } from '../world/scenario.js';
import { World } from '../world/world.js';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const NODE = 'journey-node';
const DEADLINE_MS = 120_000;
/** An upgrade that takes longer is aborted, a drain that does is cut short: a slow machine must not bring that about. */
const PATIENT_SECONDS = 300;
/** Fewer requests say nothing about losses. */
const ENOUGH_REQUESTS = 50;

/** One set of pods with their sidecar and the traffic through it. */
export interface Journey {
  world: World;
  namespace: string;
  mesh: MeshSet;
  loads: Load[];
  /** The pods'. */
  graceSeconds: number;
}

let sequence = 0;

export const given = {
  /** API server, Redis, webhook, planner, two workers and a kubelet, each its own process. */
  async aPlatform(
    options: Pick<PlatformOptions, 'apiServer' | 'planners' | 'kubeletArgs' | 'images'> = {},
  ): Promise<World> {
    return World.start({
      kubeletArgs: ['--backoff', '0.05'],
      ...options,
      root: ROOT,
      stateDir: mkdtempSync(path.join(tmpdir(), 'sidestep-journey-')),
      workers: 2,
      queue: 'redis',
      needsRedis: true,
      keepsApiState: true,
      ownRedis: true,
      images: { ...catalogueOf(programsOf(ROOT)), ...options.images },
      node: NODE,
    });
  },

  /** Pods of a namespace of their own behind a hot sidecar that runs v1. */
  async aHotSidecar(
    world: World,
    options: {
      pods: number;
      maxUnavailable?: number | string;
      prePull?: boolean;
      deadlineSeconds?: number;
      /** Of a version that hangs the kubelet waits for all of it. */
      graceSeconds?: number;
      /** Whatever else is to be said of the sidecar's container. */
      change?: (container: SidecarContainer) => void;
    },
  ): Promise<Journey> {
    sequence += 1;
    const { graceSeconds = PATIENT_SECONDS } = options;
    const name = `mesh-${sequence}`;
    const mesh: MeshSet = {
      name,
      app: name,
      container: 'mesh',
      version: 'v1',
      listenPort: 8080,
      upstreamPort: 9090,
      maxUnavailable: options.maxUnavailable ?? 1,
      deadlineSeconds: options.deadlineSeconds ?? PATIENT_SECONDS,
      drainSeconds: graceSeconds - 2,
    };
    const namespace = `journey-${sequence}`;
    await world.createNamespace(namespace);
    const set = sidecarSetOf(mesh);
    if (options.prePull) Object.assign(set.spec.updateStrategy ?? {}, { prePull: true });
    options.change?.(set.spec.containers![0]!);
    await world.createSet(set);
    const journey: Journey = { world, namespace, mesh, loads: [], graceSeconds };
    await given.morePods(journey, options.pods);
    return journey;
  },

  /** A second hot sidecar in front of the first one; only pods created afterwards get it. */
  async aSecondSidecar(journey: Journey): Promise<MeshSet> {
    const mesh: MeshSet = {
      ...journey.mesh,
      name: `${journey.mesh.name}-edge`,
      container: 'edge',
      listenPort: 8081,
      upstreamPort: 8080,
    };
    await journey.world.createSet(sidecarSetOf(mesh));
    return mesh;
  },

  async morePods({ world, namespace, mesh, graceSeconds }: Journey, count: number): Promise<void> {
    const first = world.podsOf(namespace).length + 1;
    const pods = Array.from({ length: count }, (_, index) => podOf(`pod-${first + index}`, namespace, mesh.app, NODE));
    for (const pod of pods) Object.assign(pod.spec, { terminationGracePeriodSeconds: graceSeconds });
    await world.createPods(pods, DEADLINE_MS);
  },

  async load(journey: Journey, rate = 200, port = journey.mesh.listenPort): Promise<void> {
    journey.loads.push(await journey.world.startLoad(journey.namespace, rate, { port, mostInFlight: 16 }));
  },
};

export const when = {
  async theImageBecomes({ world }: Journey, mesh: MeshSet, version: string): Promise<void> {
    await world.setImage(mesh.name, image(version));
  },

  /** As `kubectl sidestep retry` would. */
  async itIsTriedAgain({ world, mesh }: Journey, token: string): Promise<void> {
    await world.patchSet(mesh.name, [{ op: 'add', path: '/metadata/annotations/sidestep.dev~1retry', value: token }]);
  },

  /** Resolves at the first pod that is in one of the states. */
  async aPodIs({ world, namespace, mesh }: Journey, ...states: string[]): Promise<string> {
    const nameIfThere = (pod: Pod): string | undefined => {
      const { name, state } = podRow(world.set(mesh.name), pod, new Date());
      return states.includes(state) ? name : undefined;
    };
    return world.seePod(namespace, nameIfThere, `a pod to be ${states.join(' or ')}`, {
      meanwhile: () => replaceEnded(world.platform),
      deadlineMs: DEADLINE_MS,
    });
  },

  /** As long as the machine takes. */
  async anUpgradeMayTakeLong({ world, mesh }: Journey): Promise<void> {
    const path = '/spec/updateStrategy/progressDeadlineSeconds';
    await world.patchSet(mesh.name, [{ op: 'replace', path, value: PATIENT_SECONDS }]);
  },

  /** SIGKILL, as a crash or an eviction would; then its Deployment starts another one. */
  async isKilledAndReplaced({ world }: Journey, service: string): Promise<void> {
    await world.platform.service(service).kill('SIGKILL');
    await world.platform.service(service).start();
  },

  async redisIsKilled({ world }: Journey): Promise<void> {
    await world.platform.redis?.kill('SIGKILL');
  },

  /** It keeps nothing on disk, so it comes back empty. */
  async redisIsStarted({ world }: Journey): Promise<void> {
    await world.platform.redis?.start();
  },

  /** Resolves with its name. */
  async theLeadingPlannerIsKilled({ world }: Journey): Promise<string> {
    const leader = await until(() => leaderOf(world.platform), 'a planner to lead', DEADLINE_MS);
    await leader.kill('SIGKILL');
    return leader.spec.name;
  },

  /** Those under way, too. */
  async pullsTake({ world }: Journey, version: string, seconds: number): Promise<void> {
    await world.platform.kubelet.slowPulls(image(version), seconds * 1_000);
  },

  async redisIsFlushed({ world }: Journey): Promise<void> {
    const redis = new Redis(world.platform.redis!.url, { maxRetriesPerRequest: 1 });
    await redis.flushall();
    redis.disconnect();
  },
};

/** Waits for it. A planner that stood still has lost its lease and ended meanwhile: another one goes on. */
export const eventually = async (
  world: World,
  holds: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 2 * DEADLINE_MS,
): Promise<void> => {
  const look = async () => {
    await replaceEnded(world.platform);
    return (await holds()) || undefined;
  };
  await until(look, what, deadlineMs);
};

const rowsOf = ({ world, namespace, mesh }: Journey, now = new Date()) =>
  world.podsOf(namespace).map((pod) => podRow(world.set(mesh.name), pod, now));

const upgradeRecord = (pod: Pod, set: string): { phase?: string; reason?: string } =>
  (JSON.parse(pod.metadata.annotations?.['sidestep.dev/upgrade'] ?? '{}') as Record<string, object>)[set] ?? {};

export const outcome = {
  /** Resolves with the reasons that were given meanwhile for what was not done yet. */
  async everyPodRuns(
    journey: Journey,
    version: string,
    mesh = journey.mesh,
    deadlineMs = DEADLINE_MS,
  ): Promise<Set<string>> {
    const reasons = new Set<string>();
    const look = async () => {
      await replaceEnded(journey.world.platform);
      const rows = rowsOf({ ...journey, mesh });
      for (const { reason } of rows) reasons.add(reason);
      return rows.every((row) => row.version === version && row.state === 'idle') || undefined;
    };
    await until(look, `every pod to run ${version}`, deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}; now ${JSON.stringify(rowsOf({ ...journey, mesh }))}`);
    });
    return reasons;
  },

  /** The condition `Progressing` has this reason. */
  async theSetSays({ world, mesh }: Journey, reason: string): Promise<void> {
    const says = () =>
      world.set(mesh.name).status?.conditions?.find(({ type }) => type === 'Progressing')?.reason === reason;
    await eventually(world, says, `SidecarSet ${mesh.name} to say ${reason}`, DEADLINE_MS);
  },

  /** In place of one that stays dead. */
  async anotherPlannerLeads({ world }: Journey, dead: string): Promise<string> {
    const leader = await until(() => leaderOf(world.platform, dead), 'another planner to lead', DEADLINE_MS);
    return leader.spec.name;
  },

  /** Every begun pod went back to v1 by itself for one of these reasons, and the set says that it stopped. */
  async theRolloutIsAborted(journey: Journey, ...why: string[]): Promise<{ aborted: number; reason: string }> {
    const { world, namespace, mesh } = journey;
    return until(
      async () => {
        await replaceEnded(world.platform);
        const pods = world.podsOf(namespace);
        const aborted = pods.filter((pod) => {
          const { phase = '', reason } = upgradeRecord(pod, mesh.name);
          return ['Failed', 'Aborted'].includes(phase) && why.includes(reason ?? '');
        }).length;
        const back = rowsOf(journey).every(({ state, version }) => state === 'idle' && version === 'v1');
        const degraded = world.set(mesh.name).status?.conditions?.find(({ type }) => type === 'Degraded');
        return back && aborted > 0 && degraded?.status === 'True' ? { aborted, reason: degraded.reason } : undefined;
      },
      `the begun pods to be aborted with the reason ${why.join(' or ')}`,
      DEADLINE_MS,
    );
  },

  /** Ends the traffic; losses inside a sidecar that died by itself are allowed only where the journey says so. */
  async nothingWasLost(journey: Journey): Promise<{ killedInFlight: number; versions: Record<string, number> }> {
    const { loads } = journey;
    await until(() => loads.every((load) => load.requests >= ENOUGH_REQUESTS), 'enough traffic', DEADLINE_MS);
    const deaths = journey.world.platform.kubeletLog.deaths();
    const reports = await Promise.all(loads.splice(0).map((load) => load.stop(deaths)));
    for (const report of reports) {
      if (report.lost > 0) {
        throw new Error(
          `${report.lost} of ${report.requests} requests were lost: ${JSON.stringify(report.losses.slice(0, 5))}`,
        );
      }
    }
    return {
      killedInFlight: reports.reduce((sum, report) => sum + report.killedInFlight, 0),
      versions: Object.assign({}, ...reports.map((report) => report.versions)),
    };
  },

  versionsOf: ({ world, namespace, mesh }: Journey): string[] =>
    world.podsOf(namespace).map((pod) => workingVersion(pod, mesh.container)),

  pointerOf: ({ world, namespace, mesh }: Journey): string[] =>
    world
      .podsOf(namespace)
      .map((pod) => JSON.parse(pod.metadata.annotations?.[KRUISE.workingHotContainer] ?? '{}')[mesh.container]),
};

/** Ends a platform and removes what it wrote. */
export const tidyUp = async (world: World | undefined): Promise<void> => {
  await world?.stop();
  if (world) await removeScratch(world.platform.options.stateDir);
};
