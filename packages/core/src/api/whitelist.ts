import { z } from 'zod';
import { type GoRegexp, GoRegexpError, parseGoRegexp } from './go-regexp/go-regexp.js';
import { KRUISE } from './keys.js';
import type { LabelSelector } from './kubernetes.js';
import { matchesSelector } from './selectors.js';
import type { SidecarSet } from './sidecarset.js';

const Rules = z.object({
  rules: z
    .array(
      z.object({
        selector: z
          .looseObject({
            matchLabels: z.record(z.string(), z.string()).optional(),
            matchExpressions: z
              .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
              .optional(),
          })
          .nullish(),
        allowedAnnotationKeyExprs: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

interface Rule {
  selector?: LabelSelector;
  allowed: GoRegexp[];
}

/**
 * Which annotations SidecarSets may patch into pods: the ConfigMap `kruise-configuration` in Sidestep's namespace, key
 * `SidecarSet_PatchPodMetadata_WhiteList`. Read once when the ConfigMap changes, asked for every SidecarSet.
 */
export class Whitelist {
  private constructor(
    private readonly rules: readonly Rule[],
    private readonly problem?: string,
  ) {}

  /** Reads the ConfigMap's data; `undefined` if it has no whitelist. One that cannot be read refuses everything, and says why. */
  static parse(data: Readonly<Record<string, string>> | undefined): Whitelist | undefined {
    const text = data?.[KRUISE.whitelistConfigMapKey];
    if (text === undefined) return undefined;
    try {
      const { rules } = Rules.parse(JSON.parse(text));
      return new Whitelist((rules ?? []).map(readRule));
    } catch (error) {
      if (error instanceof GoRegexpError) return new Whitelist([], error.message);
      return new Whitelist([], `SidecarSet patch metadata whitelist cannot be read: ${problemOf(error)}`);
    }
  }

  /** Why this set may not patch the annotations it wants to, in OpenKruise's words; `undefined` if it may. */
  refusal(set: SidecarSet): string | undefined {
    if (this.problem !== undefined) return this.problem;
    const allowed = this.rules
      .filter(({ selector }) => selector === undefined || matchesSelector(selector, set.metadata.labels))
      .flatMap((rule) => rule.allowed);
    if (allowed.length === 0) return 'sidecarSet patch metadata annotation is not allowed';
    const keys = (set.spec.patchPodMetadata ?? []).flatMap((patch) => Object.keys(patch.annotations ?? {}).sort());
    const refused = keys.find((key) => !allowed.some((expression) => expression.test(key)));
    return refused === undefined ? undefined : `sidecarSet patch metadata annotation(${refused}) is not allowed`;
  }
}

function readRule({
  selector,
  allowedAnnotationKeyExprs,
}: {
  selector?: unknown;
  allowedAnnotationKeyExprs?: string[] | null | undefined;
}): Rule {
  const allowed = (allowedAnnotationKeyExprs ?? []).map(parseGoRegexp);
  return selector ? { selector: selector as LabelSelector, allowed } : { allowed };
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError)
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return error instanceof Error ? error.message : String(error);
}
