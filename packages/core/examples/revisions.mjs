import { decideRevisions, defaultSidecarSet, restoreRevision, withHashes } from '@sidestep/core';

const at = (image) =>
  withHashes(
    defaultSidecarSet({
      apiVersion: 'apps.kruise.io/v1beta1',
      kind: 'SidecarSet',
      metadata: { name: 'mesh', uid: 'u1' },
      spec: { selector: { matchLabels: { app: 'shop' } }, containers: [{ name: 'mesh', image }] },
    }),
  );
const decide = (set, existing) => decideRevisions({ set, existing, inUse: new Set(), namespace: 'kruise-system' });

const first = decide(at('mesh:1.0'), []);
const second = decide(at('mesh:2.0'), [first.create]);
console.log(first.create.metadata.name, first.create.revision);
console.log(second.create.metadata.name, second.create.revision);

// Going back makes no third revision: the first becomes the newest.
const back = decide(at('mesh:1.0'), [first.create, second.create]);
console.log(back.update.metadata.name, back.update.revision);

console.log(restoreRevision(at('mesh:2.0'), first.create).spec.containers[0].image);
