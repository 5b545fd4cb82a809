// What users do to SidecarSets.
import { SIDECARSETS } from '../../world/resources.js';
import { type Act, act } from '../row.js';

const paused = (value: boolean): Act =>
  act(value ? 'the SidecarSet is paused' : 'it is resumed', (stage) =>
    stage.world.patchSet(stage.mesh.name, [{ op: 'add', path: '/spec/updateStrategy/paused', value }]),
  );

export const setSays = (reason: string): Act =>
  act(`the SidecarSet says ${reason}`, async (stage) => {
    await stage.until(() => {
      const said = stage.setOf(stage.mesh).status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
      return said === reason ? true : undefined;
    }, `SidecarSet ${stage.mesh.name} to say ${reason}`);
  });

export const set = {
  paused: paused(true),
  resumed: paused(false),
  edgeImageBecomes: (version: string): Act =>
    act(`the image of the second SidecarSet becomes ${version}`, (stage) => stage.setImage(version, stage.edge)),
  deleted: act('the SidecarSet is deleted', async (stage) => {
    stage.setOf(stage.mesh);
    await stage.world.platform.api.delete(SIDECARSETS, { name: stage.mesh.name });
    await stage.until(() => (stage.world.findSet(stage.mesh.name) ? undefined : true), 'the SidecarSet to go');
  }),
  createdAgain: (version: string): Act =>
    act(`it is created again with ${version}`, (stage) => stage.createSet(stage.mesh, version)),
};
