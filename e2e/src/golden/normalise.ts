import { applyJsonPatch, KRUISE, type Pod, type SidecarSet, type SidecarSetStatus } from '@sidestep/core';
import { isObject, mapStrings } from './compare.js';
import type { ExpectedAdmission, ExpectedWrite } from './golden-case.js';
import { type PodAnswer, uidOf, type WriteAnswer } from './golden-cluster.js';

const DENIED = /^admission webhook "[^"]+" denied the request: /;

/** Whether a message is a webhook's, passed on by the API server. */
export const isDenied = (message: string): boolean => DENIED.test(message);

/** A webhook's message without the API server's words, and without pointers, which differ from run to run. */
export const webhookMessage = (message: string): string =>
  message.replace(DENIED, '').replace(/0x[0-9a-f]{6,}/g, '0x<pointer>');

/** OpenKruise's answer to a write, as far as it was recorded, without what a server hands out by chance. */
export function expectedWrite(recorded: ExpectedWrite): unknown {
  const { status, reason, message, details, stored, hash, hashWithoutImage, controllerRevisions } = recorded;
  if (status >= 300) return refusal({ status, reason, message: message ?? '', details });
  return withoutServerFields({ status, stored, hash, hashWithoutImage, controllerRevisions });
}

/** Our answer in the form in which OpenKruise's was recorded; what was not recorded is left out. */
export function actualWrite(
  answer: WriteAnswer,
  served: (stored: SidecarSet) => { v1beta1: SidecarSet; v1alpha1: SidecarSet },
  recorded: ExpectedWrite,
): unknown {
  if (!('stored' in answer)) return refusal(answer);
  const { annotations = {} } = answer.stored.metadata;
  const { v1beta1, v1alpha1 } = served(answer.stored);
  const isRefusedThere = recorded.status >= 300;
  const versions = {
    ...(recorded.stored?.v1beta1 || isRefusedThere ? { v1beta1: comparable(v1beta1) } : {}),
    ...(recorded.stored?.v1alpha1 || isRefusedThere ? { v1alpha1: comparable(v1alpha1) } : {}),
  };
  const revisions = answer.revisions.map(({ metadata, revision, data }) => ({ ...metadata, revision, data }));
  const parts = {
    stored: versions,
    hash: annotations[KRUISE.hash],
    hashWithoutImage: annotations[KRUISE.hashWithoutImage],
    controllerRevisions: revisions,
  };
  const isTold = (part: string): boolean => isRefusedThere || recorded[part as keyof ExpectedWrite] !== undefined;
  const told = Object.entries(parts).filter(([part]) => isTold(part));
  return withoutServerFields({ status: answer.status, ...Object.fromEntries(told) });
}

function comparable(set: SidecarSet): SidecarSet {
  return set.status === undefined ? set : { ...set, status: withoutZero(set.status) as SidecarSetStatus };
}

interface Refusal {
  status: number;
  message: string;
  reason?: unknown;
  details?: unknown;
}

function refusal({ status, message, reason, details }: Refusal): Refusal {
  const text = webhookMessage(message);
  return { status, message: text, ...(reason ? { reason } : {}), ...(details ? { details } : {}) };
}

/** Times and resource versions are the server's, and so are uids; JSON does not know `undefined`. */
function withoutServerFields(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), function (this: Record<string, unknown>, key, held) {
    if (SERVER_FIELDS.has(key)) return undefined;
    // Of a SidecarSet, or of its reference in a revision that it owns: its name stands beside it.
    return key === 'uid' && typeof this.name === 'string' ? uidOf(this.name) : held;
  });
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
    const { patched, patch } = response;
    return { allowed: true, patched: normalisedPod(patched ?? applyJsonPatch(request.object, patch ?? [])) };
  }
  const { message = '', code = 0 } = response.status ?? {};
  return { allowed: false, status: { message: webhookMessage(message), code } };
}

/** Our answer in the same form. */
export function actualAnswer(answer: PodAnswer): unknown {
  return plain(answer.allowed ? { allowed: true, patched: normalisedPod(answer.patched) } : answer);
}

/** As it is once it went over the wire. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The name of a pod's token volume without what chance ends it with; any other text as it is. */
export const withoutSuffix = (name: string): string =>
  name.replace(/^kube-api-access-[a-z0-9]{5}$/, 'kube-api-access-XXXXX');

/** How the records in a pod's annotations are compared: read, or to the letter but for their times. */
export type RecordForm = 'read' | 'text';

/** A pod without what chance decides: uid and times, the name of the token volume, a generated name. */
export function normalisedPod(pod: Pod, records: RecordForm = 'read'): unknown {
  const copy = mapStrings(structuredClone(pod), withoutSuffix);
  if (!isObject(copy) || !isObject(copy.metadata)) return copy;
  const { uid: _uid, creationTimestamp: _created, managedFields: _fields, ...metadata } = copy.metadata;
  // A server makes one up where none was sent.
  if (metadata.generateName !== undefined) delete metadata.name;
  if (isObject(metadata.annotations)) {
    metadata.annotations = (records === 'text' ? timeless : readRecords)(metadata.annotations);
  }
  return { ...copy, metadata };
}

const RECORDS = [KRUISE.hash, KRUISE.hashWithoutImage];

function readRecords(annotations: Record<string, unknown>): Record<string, unknown> {
  const result = { ...annotations };
  for (const key of RECORDS) result[key] = readRecord(result[key]);
  return JSON.parse(JSON.stringify(result));
}

/** Records that somebody garbled stay the text that they are. */
function readRecord(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  try {
    const records = JSON.parse(text) as Record<string, Record<string, unknown>>;
    for (const record of Object.values(records)) if (record.updateTimestamp) record.updateTimestamp = '<time>';
    return records;
  } catch {
    return text;
  }
}

function timeless(annotations: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(annotations).map(([key, value]) => {
    const isRecord = (RECORDS as readonly string[]).includes(key) && typeof value === 'string';
    return [key, isRecord ? value.replace(TIME, '"updateTimestamp":"<time>"') : value] as const;
  });
  return Object.fromEntries(entries);
}
const TIME = /"updateTimestamp":"[^"]+"/g;
