import {
  defaultSidecarSet,
  formatFieldErrors,
  lookupOf,
  readSidecarSet,
  sidecarSetWarnings,
  validateSidecarSet,
} from '@sidestep/core';

const set = defaultSidecarSet(
  readSidecarSet({
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name: 'mesh' },
    spec: {
      selector: {},
      containers: [{ name: 'mesh', ports: [{ containerPort: 70000 }] }],
      updateStrategy: { maxUnavailable: 0 },
    },
  }),
);

// `others` are the SidecarSets of the cluster, `revisions` its ControllerRevisions.
const errors = validateSidecarSet(set, { others: [], revisions: lookupOf([]) });

for (const error of errors) console.log(formatFieldErrors([error]));
for (const warning of sidecarSetWarnings(set, [])) console.log(warning);
