import { always, list, map, nonEmpty, string, struct } from './shape.js';

const REQUIREMENT = struct(
  'LabelSelectorRequirement',
  [
    always('key', string, { required: true, description: 'The label key that the requirement is about.' }),
    always('operator', string, { required: true, description: 'In, NotIn, Exists or DoesNotExist.' }),
    nonEmpty('values', list(string), {
      description: 'The values for In and NotIn; must be left out for Exists and DoesNotExist.',
    }),
  ],
  { isKubernetes: true },
);

/** A Kubernetes label selector. */
export const LABEL_SELECTOR = struct(
  'LabelSelector',
  [
    nonEmpty('matchLabels', map(string), { description: 'Labels that must all be there with these values.' }),
    nonEmpty('matchExpressions', list(REQUIREMENT), { description: 'Requirements that must all be met.' }),
  ],
  { isKubernetes: true },
);
