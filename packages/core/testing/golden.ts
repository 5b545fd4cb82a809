import { readdirSync, readFileSync } from 'node:fs';
import type { ControllerRevision, OwnerReference, SidecarSet } from '../src/index.js';

const FOLDER = new URL('../../../testdata/golden/open/', import.meta.url);

interface RecordedRevision {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  ownerReferences: OwnerReference[];
  revision: number;
  data: unknown;
}

interface RecordedCase {
  extraObjects?: { kind: string; data?: Record<string, string> }[];
  sidecarSets: SidecarSet[];
  steps?: { op: string; object: SidecarSet; expected: Outcome & { sidecarSet?: Outcome } }[];
  expected?: { sidecarSets?: Outcome[] };
}

interface Outcome {
  name: string;
  status: number;
  message?: string;
  hash: string;
  hashWithoutImage: string;
  stored?: { v1beta1: SidecarSet; v1alpha1: SidecarSet };
  controllerRevisions?: RecordedRevision[];
}

/** One write of a SidecarSet in a recorded case, and what OpenKruise made of it. */
export interface RecordedWrite {
  file: string;
  title: string;
  written: SidecarSet;
  outcome: Outcome;
  /** The SidecarSets that were there already, with their recorded stored form. */
  others: SidecarSet[];
  /** The stored form of the same set before this write. */
  old?: SidecarSet;
  whitelist?: string;
  revisions: ControllerRevision[];
}

/** Every write of every recorded case. */
export function recordedWrites(): RecordedWrite[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .flatMap(writesOf);
}

function writesOf(file: string): RecordedWrite[] {
  const golden: RecordedCase = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
  const whitelist = golden.extraObjects?.find((each) => each.kind === 'ConfigMap')?.data
    ?.SidecarSet_PatchPodMetadata_WhiteList;
  const writes: { written: SidecarSet; outcome: Outcome }[] = golden.steps
    ? golden.steps
        .filter((step) => step.op !== 'pod')
        .map((step) => ({ written: step.object, outcome: step.expected.sidecarSet ?? step.expected }))
    : (golden.expected?.sidecarSets ?? []).flatMap((outcome, i) => {
        const written = golden.sidecarSets[i];
        return written === undefined ? [] : [{ written, outcome }];
      });
  const stored = new Map<string, SidecarSet>();
  let revisions: ControllerRevision[] = [];
  return writes.map(({ written, outcome }, i) => {
    const name = written.metadata.name ?? '';
    const old = stored.get(name);
    const write: RecordedWrite = {
      file,
      title: `${file} write ${i} (${name})`,
      written,
      outcome,
      others: [...stored.values()].filter((each) => each.metadata.name !== name),
      ...(old ? { old } : {}),
      ...(whitelist === undefined ? {} : { whitelist }),
      revisions: [...revisions],
    };
    if (outcome.stored) stored.set(name, outcome.stored.v1beta1);
    if (outcome.controllerRevisions) {
      revisions = [
        ...revisions.filter((each) => each.metadata.labels?.['kruise.io/sidecarset-name'] !== name),
        ...outcome.controllerRevisions.map(asRevision),
      ];
    }
    return write;
  });
}

function asRevision(recorded: RecordedRevision): ControllerRevision {
  const { name, namespace, labels, annotations, ownerReferences, revision, data } = recorded;
  return { metadata: { name, namespace, labels, annotations, ownerReferences }, revision, data };
}
