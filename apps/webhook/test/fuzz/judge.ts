import { applyJsonPatch, type JsonPatch } from '@sidestep/core';
import { printJson } from '@sidestep/kube';
import { applyPatch, type Operation } from 'rfc6902';
import type { AdmissionRequest } from '../../src/admission/review.js';
import { isSameJson } from './same-json.js';

interface AnsweredReview {
  apiVersion: unknown;
  kind: unknown;
  response: {
    uid: unknown;
    allowed: unknown;
    patch?: unknown;
    patchType?: unknown;
    warnings?: unknown;
    status?: { code?: unknown; message?: unknown; reason?: unknown };
  };
}

/** What came of a review. */
export type Verdict =
  | { allowed: false }
  | { allowed: true; object: unknown; changed: boolean; warnings: readonly string[] };

/**
 * Reads an answer as an API server does, which fails the write when it cannot, and applies its patch. Throws when the answer is
 * none that an API server takes, or a fault of the webhook in disguise.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
 */
export function verdictOf(body: string, sent: AdmissionRequest, type: 'mutating' | 'validating'): Verdict {
  const { apiVersion, kind, response } = JSON.parse(body) as AnsweredReview;
  demand(apiVersion === 'admission.k8s.io/v1' && kind === 'AdmissionReview', 'is of another kind');
  demand(response.uid === sent.uid, 'has another uid');
  const { allowed, patch, patchType, status, warnings = [] } = response;
  demand(typeof allowed === 'boolean', 'decides nothing');
  demand(isListOfText(warnings), 'has warnings that are no texts');
  demand(
    (patch === undefined) === (patchType === undefined),
    'has a patch without its type, or a type without its patch',
  );
  if (!allowed) {
    demand(patch === undefined, 'refuses and patches');
    const isRefusal = [400, 422].includes(status?.code as number) && typeof status?.message === 'string';
    demand(isRefusal, `is a fault: ${JSON.stringify(status)}`);
    demand(status?.message !== '', 'refuses without a reason');
    return { allowed: false };
  }
  const told = warnings as string[];
  if (patch === undefined) return { allowed: true, object: sent.object, changed: false, warnings: told };
  demand(
    type === 'mutating' && patchType === 'JSONPatch' && typeof patch === 'string',
    'has a patch that nobody takes',
  );
  return { allowed: true, object: patched(sent.object, String(patch)), changed: true, warnings: told };
}

/** By a program that is not ours, which knows no more than RFC 6902. */
function patched(object: unknown, encoded: string): unknown {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const patch = JSON.parse(text) as Operation[];
  demand(patch.length > 0, 'has an empty patch');
  // Digits are held against the text that was sent; here numbers only have to be the same for both.
  const sent = printJson(object);
  const result = JSON.parse(sent);
  const problems = applyPatch(result, patch).filter((problem) => problem !== null);
  demand(problems.length === 0, `has a patch that does not apply: ${problems.join()}`);
  const ours = applyJsonPatch(JSON.parse(sent), JSON.parse(text) as JsonPatch);
  demand(isSameJson(result, ours, LOST), 'is applied differently by core');
  return result;
}

/** What the other program loses. */
const LOST: ReadonlySet<string> = new Set(['__proto__']);

/** Throws with what is wrong with an answer. */
export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(`the answer ${otherwise}`);
}

const isListOfText = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === 'string');

interface NamedList {
  name?: unknown;
  image?: unknown;
  volumeMounts?: { name?: unknown }[] | null;
}

interface JudgedPod {
  spec: { containers: NamedList[]; initContainers?: NamedList[] | null; volumes?: NamedList[] | null };
}

/**
 * Throws when an injection makes a pod break a rule that it kept. OpenKruise lets a few SidecarSets be stored that no API server
 * can take a pod of; `foretold` is what their author was warned of then.
 */
export function demandGoodPod(before: unknown, verdict: Verdict, foretold: readonly string[] = []): void {
  if (!verdict.allowed || !verdict.changed || foretold.some((warning) => warning.endsWith('is refused'))) return;
  // As the patched pod was read: a number that no double holds is not there any more.
  const own = podProblems(JSON.parse(printJson(before)));
  const isTold = verdict.warnings.some((warning) => warning.endsWith('no API server takes both'));
  for (const problem of podProblems(verdict.object)) {
    demand(own.has(problem) || (problem === TWINS && isTold), `gives the pod ${problem}`);
  }
}

const TWINS = 'two containers of one name';

/** Of the rules of an API server those that an injection can break: every one that a well-formed pod breaks. */
function podProblems(pod: unknown): Set<string> {
  const { containers, initContainers, volumes } = (pod as JudgedPod).spec;
  const all = [...(initContainers ?? []), ...containers];
  const [names, problems] = [new Set<unknown>(), new Set<string>()];
  const known = new Set((volumes ?? []).map(({ name }) => name));
  if (known.size < (volumes ?? []).length) problems.add('two volumes of one name');
  for (const { name, image, volumeMounts } of all) {
    if (names.has(name)) problems.add(TWINS);
    if (!image) problems.add('a container without an image');
    if (volumeMounts?.some((mount) => !known.has(mount.name))) problems.add('a mount of no volume');
    names.add(name);
  }
  return problems;
}
