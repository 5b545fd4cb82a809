import type { LabelSelector } from '../kubernetes.js';
import { compareBytes } from '../schema/go-json.js';
import { GO_ADDRESS } from '../schema/go-syntax.js';
import type { UpdateStrategy } from '../sidecarset.js';

/** An update strategy as Go's `%+v` prints it, which one message of OpenKruise shows. Sidestep's own fields are left out. */
export function showUpdateStrategy(strategy: UpdateStrategy): string {
  const {
    type = '',
    paused = false,
    selector,
    partition,
    maxUnavailable,
    priorityStrategy,
    scatterStrategy,
  } = strategy;
  const scatter = (scatterStrategy ?? []).map(({ key, value }) => `{Key:${key} Value:${value}}`).join(' ');
  return (
    `&{Type:${type} Paused:${paused} Selector:${selector ? showSelector(selector) : 'nil'} Partition:${partition ?? '<nil>'}` +
    ` MaxUnavailable:${maxUnavailable ?? '<nil>'} PriorityStrategy:${priorityStrategy ? GO_ADDRESS : '<nil>'}` +
    ` ScatterStrategy:[${scatter}]}`
  );
}

function showSelector({ matchLabels, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.keys(matchLabels ?? {}).sort(compareBytes);
  const shownLabels = labels.map((key) => `${key}: ${matchLabels?.[key]},`).join('');
  const requirements = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const list = `[]LabelSelectorRequirement{${requirements.join('')}}`;
  return `&LabelSelector{MatchLabels:map[string]string{${shownLabels}},MatchExpressions:${list},}`;
}
