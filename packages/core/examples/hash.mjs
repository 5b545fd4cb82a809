import { defaultSidecarSet, isHotUpgrade, KRUISE, readSidecarSet, withHashes } from '@sidestep/core';

const manifest = {
  apiVersion: 'apps.kruise.io/v1beta1',
  kind: 'SidecarSet',
  metadata: { name: 'mesh' },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    containers: [{ name: 'mesh', image: 'mesh:1.0', resources: { limits: { cpu: '1000m' } } }],
  },
};

// What the admission webhook stores: types checked, defaults set, hashes written.
const stored = withHashes(defaultSidecarSet(readSidecarSet(manifest)));

console.log(stored.metadata.annotations[KRUISE.hash].length);
console.log(stored.spec.containers[0].resources.limits.cpu);
console.log(isHotUpgrade(stored.spec.containers[0]));
