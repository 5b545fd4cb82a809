import { LABEL_SELECTOR } from './selector-types.js';
import {
  always,
  boolean,
  int32,
  intOrString,
  list,
  nonEmpty,
  pointer,
  type ScalarShape,
  string,
  struct,
} from './shape.js';

const notNegative: ScalarShape = { ...int32, minimum: 0 };
const oneOf = (...values: string[]): ScalarShape => ({ ...string, enum: values });

const PRIORITY_STRATEGY = struct('UpdatePriorityStrategy', [
  nonEmpty(
    'orderPriority',
    list(
      struct('UpdatePriorityOrderTerm', [
        always('orderedKey', string, {
          required: true,
          description: 'Pods are ordered by the last number in the value of this label, highest first.',
        }),
      ]),
    ),
    { description: 'Order by the values of labels. Cannot be used together with weightPriority.' },
  ),
  nonEmpty(
    'weightPriority',
    list(
      struct('UpdatePriorityWeightTerm', [
        always('weight', int32, { required: true, description: 'What a matching pod gains, 0 to 100.' }),
        always('matchSelector', LABEL_SELECTOR, { required: true, description: 'The pods that gain the weight.' }),
      ]),
    ),
    {
      description:
        'Order by the sum of the weights of the selectors that match. Cannot be used together with orderPriority.',
    },
  ),
]);

const SCATTER_TERM = struct('UpdateScatterTerm', [
  always('key', string, { required: true, description: 'A label key.' }),
  always('value', string, { required: true, description: 'A label value; * stands for every value that occurs.' }),
]);

const FAILURE_POLICY = struct('FailurePolicy', [
  pointer('maxFailures', intOrString, {
    description: 'How many failed pods are tolerated, as a number or a percentage of the matched pods. Default 0.',
  }),
  nonEmpty('podAction', oneOf('Abort', 'Keep'), {
    description:
      'What happens to each failed hot pod: Abort (default) takes it back to the container that still serves, Keep leaves it.',
  }),
  nonEmpty('action', oneOf('Pause', 'Rollback'), {
    description:
      'What happens once more than maxFailures failed: Pause (default) begins no more, Rollback takes every pod back to the last good revision.',
  }),
]);

const STEP = struct('CanaryStep', [
  always('pods', intOrString, {
    required: true,
    description: 'How many pods, as a number or a percentage, may be updated once this step is reached.',
  }),
  pointer(
    'pause',
    struct('CanaryPause', [
      pointer('seconds', notNegative, { description: 'How long to wait; left out: until someone promotes the step.' }),
    ]),
    { description: 'Wait after the pods of this step are good. Left out: go on at once.' },
  ),
]);

/** `spec.updateStrategy`: the fields of OpenKruise 1.9 in its order, then Sidestep's own. */
export const UPDATE_STRATEGY = struct('SidecarSetUpdateStrategy', [
  nonEmpty('type', string, {
    description: 'RollingUpdate (default) upgrades running pods in place; NotUpdate only injects into new ones.',
  }),
  nonEmpty('paused', boolean, { description: 'Begin no pod while true; pods that are half done are finished.' }),
  pointer('selector', LABEL_SELECTOR, {
    description: 'Only pods with these labels are upgraded. Cannot be used together with a partition.',
  }),
  pointer('partition', intOrString, {
    description: 'How many pods, as a number or a percentage rounded up, stay at the old revision. Default 0.',
  }),
  pointer('maxUnavailable', intOrString, {
    description:
      'How many pods, as a number or a percentage, may be unavailable because of the upgrade. Default 1. With 0 no pod is begun.',
  }),
  pointer('priorityStrategy', PRIORITY_STRATEGY, { description: 'Which pods are upgraded first.' }),
  nonEmpty('scatterStrategy', list(SCATTER_TERM), {
    description: 'Spreads pods with these labels evenly over the rollout.',
  }),
  pointer(
    'progressDeadlineSeconds',
    { ...int32, minimum: 1 },
    {
      own: true,
      description: 'A begun pod that is not done after this many seconds has failed. Left out: never.',
    },
  ),
  pointer('failurePolicy', FAILURE_POLICY, {
    own: true,
    description: 'What happens to pods that fail to upgrade. Left out: a failed pod keeps its slot.',
  }),
  nonEmpty('steps', list(STEP), { own: true, description: 'Canary steps; each raises how many pods may be updated.' }),
  pointer('minReadySeconds', notNegative, {
    own: true,
    description: 'An upgraded pod counts as good only after it was ready for this long. Default 0.',
  }),
  nonEmpty('prePull', boolean, {
    own: true,
    description: 'Bring the new image to the nodes before any pod is begun. Default false.',
  }),
  nonEmpty('nativeSidecars', oneOf('InPlace'), {
    own: true,
    description: 'Allows RollingUpdate for init containers with restartPolicy Always, on clusters from 1.29.',
  }),
]);
