import {
  applyJsonPatch,
  defaultSidecarSet,
  type FullPod,
  injectPod,
  KRUISE,
  type SidecarSet,
  SidecarSetIndex,
  upgradeTarget,
  withHashes,
} from '@sidestep/core';
import { PhaseRunner, type PhaseRunnerParts } from './phase-runner.js';
import type { PhaseJobKeys } from './ports.js';

/** After so many phases Node has compiled what is run most. */
const ENOUGH = 200;
const NAME = 'rehearsal';

/**
 * Begins a made-up pod over and over, and throws away what comes of it; no call leaves the process. Node compiles code while it runs, so
 * without this the first pod of the first rollout after a worker's start would wait some hundredths of a second longer.
 */
export const rehearsePhases = async (clock: PhaseRunnerParts['clock']): Promise<void> => {
  const before = theSidecarSet('rehearsal:v1');
  const after = theSidecarSet('rehearsal:v2');
  const pod = thePod(before, clock.now());
  const target = upgradeTarget(after);
  const never = new AbortController().signal;
  const runner = new PhaseRunner({
    clock,
    managedFields: 'release',
    events: { onPod: () => undefined, onSidecarSet: () => undefined },
    targets: { target: async () => ({ target, stored: after, epoch: undefined, readAt: clock.now() }) },
    cluster: {
      readPod: async () => structuredClone(pod),
      patchPod: async (_, patch) => ({ kind: 'written', object: applyJsonPatch(pod, patch) }),
      patchPodStatus: async () => ({ kind: 'written', object: undefined }),
    },
  });
  for (let runs = 0; runs < ENOUGH; runs += 1) await runner.run(jobFor(after), never);
};

const jobFor = ({ metadata }: SidecarSet): PhaseJobKeys => ({
  namespace: NAME,
  pod: NAME,
  uid: NAME,
  sidecarSet: NAME,
  revision: metadata.annotations?.[KRUISE.hash] ?? '',
  phase: 'upgrade',
  attempt: 1,
});

const theSidecarSet = (image: string): SidecarSet => {
  const upgradeStrategy = { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'rehearsal:empty' } as const;
  return withHashes(
    defaultSidecarSet({
      apiVersion: 'apps.kruise.io/v1beta1',
      kind: 'SidecarSet',
      metadata: { name: NAME, uid: NAME, generation: 1, resourceVersion: '1', annotations: {} },
      spec: { selector: { matchLabels: { app: NAME } }, containers: [{ name: NAME, image, upgradeStrategy }] },
    }),
  );
};

/** Injected, running and ready. */
const thePod = (sidecarSet: SidecarSet, now: Date): FullPod => {
  const metadata = { name: NAME, namespace: NAME, uid: NAME, resourceVersion: '1', labels: { app: NAME } };
  const { pod } = injectPod({
    pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
    namespace: NAME,
    namespaceLabels: {},
    sidecarSets: new SidecarSetIndex([sidecarSet]),
    revisions: { byName: () => undefined, byCustomVersion: () => undefined },
    now,
  });
  const containerStatuses = pod.spec.containers.map(({ name, image = '' }) => {
    const containerID = `containerd://${name}`;
    return { name, image, imageID: image, containerID, ready: true, started: true, restartCount: 0, state: {} };
  });
  const conditions = [{ type: 'Ready', status: 'True' }];
  return { ...(pod as FullPod), status: { phase: 'Running', conditions, containerStatuses } };
};
