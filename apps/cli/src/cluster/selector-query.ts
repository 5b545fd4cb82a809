import type { LabelSelector } from '@sidestep/core';

const WORDS: Record<string, (key: string, values: string) => string> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/**
 * A selector as the `labelSelector` of a list. One that no API server would take is left out: more pods are read then, and the
 * rules choose among them.
 */
export function selectorQuery({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string | undefined {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.flatMap(
    ({ key, operator, values = [] }) => WORDS[operator]?.(key, values.join(',')) ?? [],
  );
  return [...equal, ...others].join(',') || undefined;
}
