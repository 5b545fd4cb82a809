import { applyJsonPatch, KRUISE, type Pod, type SidecarSet, type SidecarSetStatus } from '@sidestep/core';
import { isObject, mapStrings } from './compare.js';
import type { ExpectedAdmission, ExpectedWrite } from './golden-case.js';
import type { PodAnswer, WriteAnswer } from './golden-cluster.js';

const DENIED = /^admission webhook "[^"]+" denied the request: /;

/** What Go prints of pointers differs from run to run; in this form it does not. */
const withoutPointers = (text: string): string => text.replace(/0x[0-9a-f]{6,}/g, '0x<pointer>');

/** OpenKruise's answer to a write, without what a server hands out by chance. */
export function expectedWrite(recorded: ExpectedWrite): unknown {
  const { status, reason, message, details, stored, controllerRevisions } = recorded;
  if (stored === undefined) return refusal({ status, reason, message: message ?? '', details });
  const { uid = '', name } = stored.v1beta1.metadata;
  const value = {
    status,
    stored,
    controllerRevisions: (controllerRevisions ?? []).map(({ namespace, ...revision }) => ({ namespace, ...revision })),
  };
  return withoutServerFields(mapStrings(value, (text) => (text === uid ? `uid-of-${name}` : text)));
}

/** Our answer in the form in which OpenKruise's was recorded. */
export function actualWrite(answer: WriteAnswer, served: ExpectedWrite['stored'] | undefined): unknown {
  if (!('stored' in answer)) return refusal(answer);
  const controllerRevisions = answer.revisions.map(({ metadata, revision, data }) => ({ ...metadata, revision, data }));
  const stored = served && { v1beta1: comparable(served.v1beta1), v1alpha1: comparable(served.v1alpha1) };
  return withoutServerFields({ status: answer.status, stored, controllerRevisions });
}

function comparable(set: SidecarSet): SidecarSet {
  return set.status === undefined ? set : { ...set, status: withoutZero(set.status) as SidecarSetStatus };
}

function refusal({
  status,
  reason,
  message,
  details,
}: {
  status: number;
  message: string;
  reason?: unknown;
  details?: unknown;
}) {
  const text = withoutPointers(message.replace(DENIED, ''));
  return { status, message: text, ...(reason ? { reason } : {}), ...(details ? { details } : {}) };
}

/** Times and resource versions are the server's; JSON does not know `undefined`. */
function withoutServerFields(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, held) => (SERVER_FIELDS.has(key) ? undefined : held)));
}
const SERVER_FIELDS = new Set(['creationTimestamp', 'resourceVersion', 'managedFields']);

/** OpenKruise leaves this count out while it is zero. */
export function withoutZero(status: SidecarSetStatus): Omit<SidecarSetStatus, 'updatedReadyPods'> {
  const { updatedReadyPods, ...others } = status;
  return updatedReadyPods ? status : others;
}

/** OpenKruise's answer to a pod; `patched` was recorded in the form that {@link normalisedPod} gives. */
export function expectedAnswer({ request, response }: ExpectedAdmission): unknown {
  if (response.allowed) {
    const { patched, patch = [] } = response;
    return { allowed: true, patched: patched ?? normalisedPod(applyJsonPatch(request.object, patch)) };
  }
  const { message = '', code = 0 } = response.status ?? {};
  return { allowed: false, status: { message: withoutPointers(message), code } };
}

export function actualAnswer(answer: PodAnswer, expectedName: string | undefined): unknown {
  if (!answer.allowed) return answer;
  return { allowed: true, patched: normalisedPod(answer.patched, expectedName) };
}

/** A pod without what chance decides: uid and times, the name of the token volume, a generated name. */
export function normalisedPod(pod: Pod, expectedName?: string): unknown {
  const copy = mapStrings(structuredClone(pod), (text) =>
    text.replace(/^kube-api-access-[a-z0-9]{5}$/, 'kube-api-access-XXXXX'),
  );
  if (!isObject(copy) || !isObject(copy.metadata)) return copy;
  const { uid: _uid, creationTimestamp: _created, managedFields: _fields, ...metadata } = copy.metadata;
  if (expectedName === '<generated>') metadata.name = expectedName;
  if (isObject(metadata.annotations)) metadata.annotations = readRecords(metadata.annotations);
  return { ...copy, metadata };
}

function readRecords(annotations: Record<string, unknown>): Record<string, unknown> {
  const result = { ...annotations };
  for (const key of [KRUISE.hash, KRUISE.hashWithoutImage]) {
    if (typeof result[key] !== 'string') continue;
    const records = JSON.parse(result[key]) as Record<string, Record<string, unknown>>;
    for (const record of Object.values(records)) if (record.updateTimestamp) record.updateTimestamp = '<time>';
    result[key] = records;
  }
  return result;
}
