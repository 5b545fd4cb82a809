import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { JsonPatch, ObjectMeta, OpenObject, Pod, SidecarSet } from '@sidestep/core';
import { checkCase } from './case-form.js';
import { CaseFormError } from './checks.js';

/** A ControllerRevision as it is recorded. */
export interface RecordedRevision extends ObjectMeta {
  name: string;
  revision: number;
  data?: unknown;
}

/** A SidecarSet write as OpenKruise answered it; every field but the status is compared where it was recorded. */
export interface ExpectedWrite {
  name?: string;
  status: number;
  hash?: string;
  hashWithoutImage?: string;
  stored?: { v1beta1?: SidecarSet; v1alpha1?: SidecarSet };
  controllerRevisions?: RecordedRevision[];
  reason?: string;
  message?: string;
  details?: unknown;
}

/** The names of containers, init containers, volumes and pull secrets, in the order of one answer. */
export type RecordedOrder = readonly (readonly string[])[];

/** The admission of one pod: the request, and what OpenKruise's webhook said to it. */
export interface ExpectedAdmission {
  request: { namespace?: string; object: Pod; uid?: string };
  response: { allowed: boolean; patch?: JsonPatch; patched?: Pod; status?: { message?: string; code?: number } };
  /** Orders that the same request was answered with. */
  orders?: RecordedOrder[];
}

/** What the API server said no with. */
export interface ServerError {
  status: number;
  message: string;
  details?: { causes?: { message: string; field: string }[] };
}

/** What the API server answered to a pod; each part is compared where it was recorded. */
export interface ExpectedPod {
  status?: number;
  /** False where the API server asked no webhook at all. */
  webhookCalled?: boolean;
  /** The pod as it came back, normalised. */
  pod?: Pod;
  /** The pod as it came back. */
  podRaw?: Pod;
  error?: ServerError;
  admission?: ExpectedAdmission;
}

/** One write or pod of a sequence. */
export type Step =
  | { op: 'create' | 'update'; object: SidecarSet; expected: ExpectedWrite }
  | { op: 'pod'; object: Pod; expected: ExpectedPod };

/** Writes SidecarSets, then creates a pod; or does both step by step. */
export interface AdmissionCase {
  extraObjects?: (OpenObject & { kind: string; metadata: ObjectMeta; data?: Record<string, string> })[];
  sidecarSets?: SidecarSet[];
  pod?: Pod;
  expected?: { sidecarSets?: ExpectedWrite[]; pod?: ExpectedPod; admission?: ExpectedAdmission };
  steps?: Step[];
}

/** Pods sent with fields that OpenKruise's client does not know, and the pod or the refusal that came of it. */
export interface DirectCase {
  cases: { sidecarSets: SidecarSet[]; pod: Pod; peerResult: { pod?: Pod; error?: string } }[];
}

/** Which pods a new image reaches, and in which order. */
export interface SelectionCase {
  sidecarSet: SidecarSet;
  newImage: string;
  podsBefore: {
    name: string;
    labels?: Record<string, string>;
    creationTimestamp: string;
    ready: { status: string; lastTransitionTime?: string };
  }[];
  expected: { patchedInOrder: string[]; notPatched: string[]; status: Record<string, unknown> };
}

/** One watch event; `changed` holds the fields that differ from the object's last event. */
export interface TraceEntry {
  t: number;
  kind: 'step' | 'sidecarset' | 'pod' | 'event';
  text?: string;
  event?: 'ADDED' | 'MODIFIED' | 'DELETED';
  name?: string;
  resourceVersion?: string;
  writers?: string[];
  changed?: Record<string, unknown>;
}

/** Everything that happened to pods and a SidecarSet during an upgrade. */
export interface TraceCase {
  sidecarSet: SidecarSet;
  pod?: Pod;
  trace: TraceEntry[];
}

/** A file of recorded answers, told apart by the fields it has. */
export type GoldenCase =
  | { kind: 'admission'; content: AdmissionCase }
  | { kind: 'direct'; content: DirectCase }
  | { kind: 'selection'; content: SelectionCase }
  | { kind: 'trace'; content: TraceCase };

/** A case under the name it is reported by, or why its file cannot be read. */
export type CaseFile = { name: string; golden: GoldenCase } | { name: string; error: string };

/** Whatever a folder holds under a name that ends in `.json`, by name. */
export function caseFiles(directory: string): CaseFile[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => readCase(path.join(directory, file)));
}

function readCase(file: string): CaseFile {
  const name = path.basename(file, '.json');
  try {
    if (!statSync(file).isFile()) throw new CaseFormError('it is no file; allowed is a file with one JSON object');
    return { name, golden: toCase(parsed(readFileSync(file, 'utf8'))) };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replaceAll('\n', ' ');
    throw new CaseFormError(`the file is not JSON: ${reason}; allowed is one JSON object`);
  }
}

/**
 * Tells the form of a case by its fields.
 *
 * @throws {CaseFormError} for anything but a complete case
 */
export function toCase(content: unknown): GoldenCase {
  checkCase(content);
  if ('trace' in content) return { kind: 'trace', content: content as unknown as TraceCase };
  if ('podsBefore' in content) return { kind: 'selection', content: content as unknown as SelectionCase };
  if ('cases' in content) return { kind: 'direct', content: content as unknown as DirectCase };
  return { kind: 'admission', content: content as unknown as AdmissionCase };
}
