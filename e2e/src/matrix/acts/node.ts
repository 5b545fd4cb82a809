// What happens to the node, its kubelet and the processes of a pod.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { KRUISE } from '@sidestep/core';
import { image } from '../../world/scenario.js';
import { type Act, act } from '../row.js';
import type { Stage } from '../stage.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A time in which a disturbance lasts. */
export const lasts = (seconds: number): Act => act(`that lasts ${seconds} s`, () => pause(seconds * 1_000));

const thaw = (stage: Stage): Promise<void> => stage.world.platform.kubelet.thaw();

export const kubelet = {
  freezes: act('the kubelet stands still', async (stage) => {
    stage.atEnd(() => thaw(stage));
    await stage.world.platform.kubelet.freeze();
  }),
  thaws: act('the kubelet goes on', thaw),
  losesNode: act('the node is NotReady', async (stage) => {
    stage.atEnd(() => thaw(stage));
    await stage.world.platform.kubelet.loseNode();
  }),
  pullsSlowly: (version: string, seconds: number): Act =>
    act(`a pull of ${version} takes ${seconds} s`, async (stage) => {
      const { kubelet: control } = stage.world.platform;
      stage.atEnd(() => control.slowPulls(image(version), 0));
      await control.slowPulls(image(version), seconds * 1_000);
    }),
};

const pointerOf = (stage: Stage): string =>
  JSON.parse(stage.pod().metadata.annotations?.[KRUISE.workingHotContainer] ?? '{}')[stage.mesh.container];

const OTHER: Record<string, string> = { 'mesh-1': 'mesh-2', 'mesh-2': 'mesh-1' };

const signal = (stage: Stage, container: string | undefined, name: NodeJS.Signals): Promise<void> => {
  const { namespace, subject } = stage;
  return stage.world.platform.kubelet.signal({ namespace, pod: subject, container: container ?? '' }, name);
};

/** What a container of the row's pod has written since its pod was created. */
const logOf = (stage: Stage, container: string): string => {
  const { namespace, name, uid } = stage.pod().metadata;
  const folder = path.join(stage.world.platform.options.stateDir, 'kubelet/pods', `${namespace}_${name}_${uid}`);
  const files = readdirSync(folder).filter((file) => file.startsWith(`${container}.`) && file.endsWith('.log'));
  return files.map((file) => readFileSync(path.join(folder, file), 'utf8')).join('');
};

/** The new sidecar has come to the point of its fault: `before` it asks for the sockets, or `ready` with them in its hands. */
export const newSidecarIsAt = (point: 'before' | 'ready'): Act =>
  act(`the new sidecar is at the point "${point}"`, async (stage) => {
    const isThere = () => logOf(stage, pointerOf(stage)).includes(`"point":"${point}"`) || undefined;
    await stage.until(isThere, `the new sidecar to come to the point "${point}"`, 60_000);
  });

export const sidecar = {
  /** The container that the pointer names. */
  workingCrashes: act('the working sidecar is killed with SIGKILL', (stage) =>
    signal(stage, pointerOf(stage), 'SIGKILL'),
  ),
  /** In an upgrade: the one that is being replaced. */
  oldCrashes: act('the old sidecar is killed with SIGKILL', (stage) =>
    signal(stage, OTHER[pointerOf(stage)], 'SIGKILL'),
  ),
};
