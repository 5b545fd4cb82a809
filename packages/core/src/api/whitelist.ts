import { z } from 'zod';
import { GoJsonError, parseGoJson } from '../injection/go-json.js';
import { type GoRegexp, GoRegexpError, parseGoRegexp } from './go-regexp/go-regexp.js';
import { KRUISE } from './keys.js';
import type { LabelSelector } from './kubernetes.js';
import { matchesSelector } from './selectors.js';
import type { SidecarSet } from './sidecarset.js';

// The words are ours: those of the library change with its version.
const AN_OBJECT = 'must be an object';
const text = z.string('must be a text');
const list = <T extends z.ZodType>(of: T) => z.array(of, 'must be a list');

const Requirement = z.looseObject({ key: text, operator: text, values: list(text).optional() }, AN_OBJECT);

const Selector = z.looseObject(
  { matchLabels: z.record(z.string(), text, AN_OBJECT).optional(), matchExpressions: list(Requirement).optional() },
  AN_OBJECT,
);

const Rules = z.object(
  {
    rules: list(
      z.object({ selector: Selector.nullish(), allowedAnnotationKeyExprs: list(text).nullish() }, AN_OBJECT),
    ).nullish(),
  },
  AN_OBJECT,
);

/** Where a whitelist stands and what may stand there, for whoever has to correct it. */
const PLACE = `${KRUISE.whitelistConfigMapKey} of ConfigMap ${KRUISE.whitelistConfigMap}`;
const ALLOWED = '{"rules":[{"selector":{"matchLabels":{}},"allowedAnnotationKeyExprs":["^regular expression$"]}]}';

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
      parseGoJson(text);
      const { rules } = Rules.parse(JSON.parse(text));
      return new Whitelist((rules ?? []).map(readRule));
    } catch (error) {
      if (error instanceof GoRegexpError) return new Whitelist([], error.message);
      const problem = `SidecarSet patch metadata whitelist cannot be read: ${PLACE}: ${problemOf(error)}`;
      return new Whitelist([], `${problem}; it is JSON such as ${ALLOWED}`);
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
  if (!(error instanceof z.ZodError)) return error instanceof GoJsonError ? error.message : String(error);
  const problems = error.issues.map(({ path, message }) => `${fieldOf(path)} ${message}`);
  return problems.join(', ');
}

const fieldOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1) || 'it';
