import { applyJsonPatch, compareQuantities, type JsonPatch, type Pod, parseQuantity } from '@sidestep/core';
import { posted } from './api-server-pod.js';
import { CaseFormError } from './checks.js';
import { differences, isObject, mapStrings } from './compare.js';
import type { ExpectedAdmission } from './golden-case.js';
import { normalisedPod, withoutSuffix } from './normalise.js';

/** What an API server fills in beyond what `posted` models, each only where the pod that was sent says nothing. */
const FILLED = new Set(
  `status name namespace uid creationTimestamp managedFields generation selfLink requests priority preemptionPolicy overhead
  serviceAccount imagePullSecrets tolerations volumes volumeMounts defaultMode type path scheme service timeoutSeconds
  periodSeconds successThreshold failureThreshold optional volumeMode storagePolicy fsType sizeLimit readOnly
  hostPort protocol apiVersion divisor expirationSeconds iscsiInterface pool user keyring cachingMode kind storageMode`.split(
    /\s+/,
  ),
);

/**
 * Holds the pod that was sent against the pod that the webhook got: the second is the first with what an API server adds.
 *
 * @throws {CaseFormError} with the first place where they cannot be of one pod
 */
export function demandSamePod(sent: Pod, request: Pod, place: string): void {
  const got = mapStrings(request, withoutSuffix);
  const found = disagreement({ sent, modelled: posted(sent), got }, '');
  if (found === undefined) return;
  const { at, sent: said, got: is } = found;
  throw new CaseFormError(
    `${place} is not of the pod that was sent: at ${at} that has ${told(said)}, the request ${told(is)}; ` +
      'allowed is what was sent with what an API server adds to it',
  );
}

/**
 * Holds the two forms of a recorded answer against each other: the patch makes of the request the pod that stands beside it.
 *
 * @throws {CaseFormError} with the first place where they differ
 */
export function demandAnswerOf({ request, response }: ExpectedAdmission, subject: string): void {
  const { patch, patched } = response;
  if (!isObject(patched) || !Array.isArray(patch)) return;
  const made = patchedBy(patch, request.object, subject);
  const [first] = differences(normalisedPod(patched), normalisedPod(made));
  if (first === undefined) return;
  throw new CaseFormError(
    `the answer to ${subject} says two things: at ${first.path} patched has ${told(first.expected)}, and patch makes ` +
      `${told(first.actual)} of the request; allowed is the request with the patch applied`,
  );
}

function patchedBy(patch: JsonPatch, object: Pod, subject: string): Pod {
  try {
    return applyJsonPatch(object, patch);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CaseFormError(
      `the patch that answers ${subject} does not apply: ${reason}; allowed is a patch of the request`,
    );
  }
}

const told = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? ''));

interface Sides {
  sent: unknown;
  /** What was sent with the defaults of a server. */
  modelled: unknown;
  got: unknown;
}
type Place = { at: string; sent: unknown; got: unknown };

/** The first place where the two cannot be of one pod. */
function disagreement(sides: Sides, at: string): Place | undefined {
  const { sent, got } = sides;
  if (isObject(sent) && isObject(got)) return inObjects({ ...sides, sent, got }, at);
  if (Array.isArray(sent) && Array.isArray(got)) return inLists({ ...sides, sent, got }, at);
  return isSame(sent, got) ? undefined : { at, sent, got };
}

type Fields = Record<string, unknown>;

function inObjects({ sent, modelled, got }: Sides & { sent: Fields; got: Fields }, at: string): Place | undefined {
  const model = isObject(modelled) ? modelled : {};
  for (const key of new Set([...Object.keys(sent), ...Object.keys(got)])) {
    const place = at === '' ? key : `${at}.${key}`;
    const sides = { sent: sent[key], modelled: model[key], got: got[key] };
    const found = isEmpty(sides.sent) ? addition(sides, key, place) : disagreement(sides, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inLists({ sent, modelled, got }: Sides & { sent: unknown[]; got: unknown[] }, at: string): Place | undefined {
  const model = Array.isArray(modelled) ? modelled : [];
  for (const index of Array.from({ length: Math.max(sent.length, got.length) }, (_, each) => each)) {
    const sides = { sent: sent[index], modelled: model[index], got: got[index] };
    const place = `${at}[${index}]`;
    const key = at.slice(at.lastIndexOf('.') + 1);
    const found = index < sent.length ? disagreement(sides, place) : addition(sides, key, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What only the request has: the default that is modelled, or another that is not. */
function addition({ sent, modelled, got }: Sides, key: string, at: string): Place | undefined {
  if (isEmpty(got)) return undefined;
  if (modelled === undefined) return FILLED.has(key) ? undefined : { at, sent, got };
  return disagreement({ sent: modelled, modelled, got }, at) === undefined ? undefined : { at, sent, got };
}

/** Servers leave out what is empty. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** Quantities may be written in more than one way: 0.5 comes back as 500m. */
function isSame(sent: unknown, got: unknown): boolean {
  if (sent === got || (isEmpty(sent) && isEmpty(got))) return true;
  if (typeof got !== 'string' || !(typeof sent === 'string' || typeof sent === 'number')) return false;
  try {
    return compareQuantities(parseQuantity(sent), parseQuantity(got)) === 0;
  } catch {
    return false;
  }
}
