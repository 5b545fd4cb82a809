// Waiting for how a row must end.
import type { Pod, SidecarSet } from '@sidestep/core';
import { type Answer, ask } from '../platform/ask.js';
import { replaceEnded } from '../platform/replace-ended.js';
import type { MeshSet } from '../world/scenario.js';
import type { Expectation } from './row.js';
import type { Stage } from './stage.js';

/** Against a wait without end, not against a slow machine. */
const DEADLINE_MS = 240_000;
/** Used after a version that failed. */
const GOOD_VERSION = 'v3';

/** Waits until the pods are as they must be; resolves with how it ended, in words. */
export const settled = async (stage: Stage, expect: Expectation): Promise<string> => {
  if ('serves' in expect) return 'every pod serves';
  if ('aborts' in expect) return aborted(stage, expect.aborts);
  if ('holds' in expect) return heldBack(stage, expect.holds);
  await everyPodRuns(stage, stage.mesh, expect.runs);
  if (stage.edge && expect.edge) await everyPodRuns(stage, stage.edge, expect.edge);
  return `every pod runs ${expect.runs}`;
};

/** After a failed version a good one must go through; elsewhere this is what the pods run already. */
export const goesOn = async (stage: Stage, expect: Expectation): Promise<string | undefined> => {
  if ('serves' in expect) return undefined;
  if ('runs' in expect) return expect.runs;
  await stage.setImage(GOOD_VERSION);
  await everyPodRuns(stage, stage.mesh, GOOD_VERSION);
  if (stage.edge && 'edge' in expect && expect.edge) await everyPodRuns(stage, stage.edge, expect.edge);
  return GOOD_VERSION;
};

const until = <T>(stage: Stage, probe: () => T | undefined, what: string): Promise<T> =>
  stage.until(
    async () => {
      await replaceEnded(stage.world.platform);
      return probe();
    },
    what,
    DEADLINE_MS,
  );

const condition = (set: SidecarSet, name: string) => set.status?.conditions?.find(({ type }) => type === name);

const everyPodRuns = (stage: Stage, mesh: MeshSet, version: string): Promise<true> =>
  until(
    stage,
    () => {
      const rows = stage.rows(mesh);
      const done = rows.length > 0 && rows.every((row) => row.version === version && row.state === 'idle');
      const said = condition(stage.setOf(mesh), 'Progressing')?.reason === 'RolloutComplete';
      return done && said ? true : undefined;
    },
    `every pod to run ${version} and SidecarSet ${mesh.name} to say so`,
  );

interface Record {
  phase?: string;
  reason?: string;
}

const recordOf = (pod: Pod, set: string): Record =>
  (JSON.parse(pod.metadata.annotations?.['sidestep.dev/upgrade'] ?? '{}') as { [set: string]: Record })[set] ?? {};

const aborted = (stage: Stage, reasons: readonly string[]): Promise<string> =>
  until(
    stage,
    () => {
      const { mesh } = stage;
      const back = stage.rows().every(({ state, version }) => state === 'idle' && version === 'v1');
      const records = stage.pods().map((pod) => recordOf(pod, mesh.name));
      const failed = records.filter(({ phase }) => phase === 'Aborted' || phase === 'Failed');
      const degraded = condition(stage.setOf(mesh), 'Degraded');
      if (!back || failed.length === 0 || degraded?.status !== 'True') return undefined;
      const reason = failed[0]?.reason ?? '';
      if (!reasons.includes(reason)) throw new Error(`aborted for ${reason}, not for ${reasons.join(' or ')}`);
      return `${failed.length} of ${records.length} aborted (${reason}), and ${degraded.reason}`;
    },
    'the begun pods to be aborted',
  );

const heldBack = (stage: Stage, reason: string): Promise<string> =>
  until(
    stage,
    () => {
      const said = ['Progressing', 'Paused'].map((name) => condition(stage.setOf(stage.mesh), name));
      if (!said.some((each) => each?.reason === reason && (each.type === 'Progressing' || each.status === 'True')))
        return undefined;
      const begun = stage.pods().filter((pod) => recordOf(pod, stage.mesh.name).phase !== undefined);
      if (begun.length > 0) throw new Error(`${begun.length} pods were begun`);
      return `no pod was begun (${reason})`;
    },
    `the SidecarSet to say ${reason}`,
  );

const SILENT_MS = 30_000;
const ASKED_AT_MOST = 4;

/** A machine that stood still cannot tell an answer that is there from one that never came; a pod that is silent stays so. */
const askPatiently = async (where: { host: string; port: number }): Promise<Answer> => {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask(where, SILENT_MS);
    if (answer.failure !== 'timeout' || asked === ASKED_AT_MOST) return answer;
  }
};

/** Asks every pod on every sidecar's port; one sentence for each that does not answer with that version. */
export const silentPods = async (stage: Stage, version: string | undefined): Promise<string[]> => {
  const silent: string[] = [];
  for (const { metadata, status } of stage.pods()) {
    for (const mesh of stage.meshes) {
      const port = mesh.listenPort;
      const { status: code, headers, failure } = await askPatiently({ host: String(status?.podIP), port });
      const wanted = mesh === stage.mesh ? version : undefined;
      const answeredBy = String(headers['x-mesh-version'] ?? '');
      if (code !== 200) silent.push(`${metadata.name} does not answer on port ${port} (${failure || code})`);
      else if (wanted && answeredBy !== wanted)
        silent.push(`${metadata.name} is answered by ${answeredBy}, not by ${wanted}`);
    }
  }
  return silent;
};
