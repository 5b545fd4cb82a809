import { defaultSidecarSet, injectPod, lookupOf, SidecarSetIndex, withHashes } from '@sidestep/core';

const set = withHashes(
  defaultSidecarSet({
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name: 'mesh' },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      containers: [
        {
          name: 'mesh',
          image: 'mesh:1.0',
          upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'mesh:empty' },
        },
      ],
    },
  }),
);
const pod = {
  metadata: { name: 'shop-0', labels: { app: 'shop' } },
  spec: { containers: [{ name: 'app', image: 'shop:3.1' }] },
};

const { pod: injected } = injectPod({
  pod,
  namespace: 'default',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'default' },
  sidecarSets: new SidecarSetIndex([set]),
  revisions: lookupOf([]),
  now: new Date(),
});

console.log(injected.spec.containers.map(({ name, image }) => `${name} ${image}`).join(', '));
console.log(injected.metadata.annotations['kruise.io/sidecarset-working-hotupgrade-container']);
