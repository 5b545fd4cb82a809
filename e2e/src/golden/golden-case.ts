import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonPatch, ObjectMeta, OpenObject, Pod, SidecarSet } from '@sidestep/core';

/** A SidecarSet write as OpenKruise answered it. */
export interface ExpectedWrite {
  name: string;
  status: number;
  hash?: string;
  hashWithoutImage?: string;
  stored?: { v1beta1: SidecarSet; v1alpha1: SidecarSet };
  controllerRevisions?: (ObjectMeta & { revision: number; data: unknown })[];
  reason?: string;
  message?: string;
  details?: unknown;
}

/** The admission of one pod: the request, and what OpenKruise's webhook said to it. */
export interface ExpectedAdmission {
  request: { namespace: string; object: Pod; uid?: string };
  response: { allowed: boolean; patch?: JsonPatch; patched?: Pod; status?: { message: string; code: number } };
}

export interface ExpectedPod {
  status?: number;
  /** Pods that came back with their containers in another order. */
  orders?: unknown[];
  admission?: ExpectedAdmission;
}

/** One write or pod of a sequence. */
export type Step =
  | { op: 'create' | 'update'; object: SidecarSet; expected: ExpectedWrite }
  | { op: 'pod'; object: Pod; expected: ExpectedPod };

/** Writes SidecarSets, then creates a pod; or does both step by step. */
export interface AdmissionCase {
  name: string;
  extraObjects?: (OpenObject & { kind: string; metadata: ObjectMeta; data?: Record<string, string> })[];
  sidecarSets?: SidecarSet[];
  pod?: Pod;
  expected?: { sidecarSets?: ExpectedWrite[]; pod?: ExpectedPod; admission?: ExpectedAdmission };
  steps?: Step[];
}

/** Pods sent with fields that OpenKruise's client does not know, and the pod or the refusal that came of it. */
export interface DirectCase {
  name: string;
  cases: { sidecarSets: SidecarSet[]; pod: Pod; peerResult: { pod?: Pod; error?: string } }[];
}

/** Which pods a new image reaches, and in which order. */
export interface SelectionCase {
  name: string;
  sidecarSet: SidecarSet;
  newImage: string;
  podsBefore: {
    name: string;
    labels: Record<string, string>;
    creationTimestamp: string;
    ready: { status: string; lastTransitionTime: string };
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
  name: string;
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

/** Every `.json` file of a folder, by name. */
export function caseFiles(directory: string): CaseFile[] {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => readCase(path.join(directory, file)));
}

function readCase(file: string): CaseFile {
  const name = path.basename(file, '.json');
  try {
    return { name, golden: toCase(JSON.parse(readFileSync(file, 'utf8')) as object) };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

function toCase(content: object): GoldenCase {
  if ('trace' in content) return { kind: 'trace', content: content as TraceCase };
  if ('podsBefore' in content) return { kind: 'selection', content: content as SelectionCase };
  if ('cases' in content) return { kind: 'direct', content: content as DirectCase };
  if ('steps' in content || 'expected' in content) return { kind: 'admission', content: content as AdmissionCase };
  throw new Error(`not a case in any known form; its fields are: ${Object.keys(content).join(', ')}`);
}
